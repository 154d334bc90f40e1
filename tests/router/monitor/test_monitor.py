from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.router import recent
from services.router.monitor.forecast import ENOUGH, filled, slope
from services.router.monitor.report import Reporter
from services.router.monitor.watch import MOST_SERIES, Monitor
from services.router.policy.quality import Quality
from shared.clock import now
from shared.events import MonitorAsk, MonitorReport
from tests.router.conftest import ask, chat
from tests.router.monitor.test_detector import steady
from tests.router.test_record import row, writing

CALL = row(is_llm=1, cache="off", host="gpu1", completion_tokens=100)


def slow(monitor: Monitor, values: list[float]) -> None:
    for value in values:
        monitor.take(replace(CALL, total_s=100 * value + 5, queue_s=5.0))


def test_a_slow_host_is_told_with_what_is_usual_and_only_it():
    monitor = Monitor()
    slow(monitor, steady(1))
    slow(monitor, [3 * value for value in steady(2, 60)])
    (found,) = monitor.anomalies()
    assert (found.model, found.host, found.metric) == ("m", "gpu1", "seconds_per_token")
    assert found.until is None
    assert found.usual == pytest.approx(0.02, rel=0.1)
    assert found.value > 2 * found.usual
    slow(monitor, steady(3, 60))
    assert monitor.lasting() == 0
    assert monitor.anomalies()[0].until is not None


def test_errors_of_the_engine_count_those_of_the_caller_do_not():
    monitor = Monitor()
    for _ in range(300):
        monitor.take(replace(CALL, error="invalid_input"))
        monitor.take(replace(CALL, cache="hit", error="engine_failed"))
    assert monitor.anomalies() == ()
    for _ in range(20):
        monitor.take(replace(CALL, error="engine_failed"))
    assert [one.metric for one in monitor.anomalies()] == ["errors"]


def test_series_and_anomalies_are_bounded():
    monitor = Monitor()
    for n in range(MOST_SERIES + 50):
        for _ in range(12):
            monitor.take(replace(CALL, host=f"h{n}", error="engine_failed"))
    assert len(monitor.anomalies()) <= MOST_SERIES + 100


def test_a_slope_is_not_bent_by_a_wild_day():
    values = [10.0 + n for n in range(20)]
    values[7] = 5000.0
    assert slope(values) == pytest.approx(1.0, abs=0.01)
    assert slope(values[: ENOUGH - 1]) is None


def test_days_without_calls_are_zeros_from_the_first_that_had_any():
    today = date(2026, 11, 10)
    assert filled({"2026-11-07": 3.0}, today) == [3.0, 0.0, 0.0]
    assert filled({}, today) == []


async def test_the_router_reports_models_hosts_and_the_month(bus, router):
    async with router() as service:
        for n in range(3):
            await chat(bus, ask(f"n {n}"))
        await bus.nc.request("model.chat", ask(model="mid").model_dump_json().encode(), 5)
        told = await bus.request("model.monitor", MonitorAsk(hours=1), MonitorReport)
    lines = {(line.model, line.host): line for line in told.series}
    assert lines["llama3.1:8b", service.host].calls == 3
    assert lines["llama3.1:8b", service.host].p95_s > 0
    assert lines["mid", service.host].errors == 1
    sums = {one.what: one.so_far for one in told.forecast}
    assert (sums["calls"], sums["cost_usd"]) == (3, 0)
    assert told.bill_usd == 0
    assert told.at - now() < timedelta(minutes=1)


def test_embeddings_are_watched_apart_and_large_batches_are_no_anomaly():
    monitor, embed = Monitor(), replace(CALL, kind="embed", completion_tokens=0)
    for value in steady(1, 200):
        monitor.take(replace(embed, prompt_tokens=8000, total_s=value))
    for value in steady(2, 60):
        monitor.take(replace(embed, prompt_tokens=10, total_s=value / 10))
    slow(monitor, steady(3))
    assert monitor.anomalies() == ()
    for value in steady(4, 60):
        monitor.take(replace(embed, prompt_tokens=8000, total_s=5 * value))
    assert [(one.kind, one.metric) for one in monitor.anomalies()] == [
        ("embed", "seconds_per_token")
    ]


async def test_a_line_is_of_one_kind_and_the_bill_of_both(tmp_path):
    call = replace(CALL, at=now().isoformat(), engine="ollama")
    async with writing(tmp_path / "calls.db") as record:
        for n in range(10):
            record.add(replace(call, total_s=float(n), eval_s=1.0, cost_pico=10**12))
            record.add(replace(call, kind="embed", completion_tokens=0, prompt_tokens=50,
                               total_s=0.1, eval_s=None, cost_pico=10**11))  # fmt: skip
        told = await Reporter(record, Monitor()).answer(MonitorAsk())
    lines = {line.kind: line for line in told.series}
    assert (lines["chat"].p50_s, lines["chat"].tokens_per_s) == (4.0, 100.0)
    assert (lines["embed"].p99_s, round(lines["embed"].tokens_per_s)) == (0.1, 500)
    assert {one.what: one.so_far for one in told.forecast}["calls"] == 10
    assert told.bill_usd == 11


async def test_quality_and_the_report_are_of_chats_alone(tmp_path):
    call = replace(CALL, at=now().isoformat(), total_s=1.0)
    async with writing(tmp_path / "calls.db") as record:
        record.add(call)
        for _ in range(30):
            record.add(replace(call, kind="embed", error="output_invalid", total_s=9.0))
        quality, found = Quality(record), await recent.read(record)
        await quality.read()
    assert (quality.score("m", "").calls, quality.score("m", "").invalid) == (1, 0)
    assert [row["total_s"] for row in found.rows] == [1.0]
