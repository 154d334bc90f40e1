import asyncio
from decimal import Decimal

from services.router import sovereignty
from services.router.accounts import Accounts
from services.router.monitor.report import Reporter
from services.router.monitor.watch import Monitor
from services.router.prices import Price
from services.router.record import Call, open_record
from services.router.savings import savings
from shared.clock import now
from shared.events import (
    Empty,
    Lesson,
    MonitorAsk,
    OpsCheck,
    OpsEvent,
    OpsHistory,
    OpsLessons,
    OpsStatus,
    OptimizationReport,
    Savings,
    Sovereignty,
)
from shared.settings import Settings
from tests.cli.conftest import answer
from tests.router.conftest import ask, chat

GPT_4O = (Decimal("0.0000025"), Decimal("0.00001"))
TASK = (
    "<task>What is still pending?</task><instruction>List what is pending.</instruction>"
    '<document name="notes.md"># Pending\n- renew the certificate\n- move the backups</document>'
)


async def test_savings_are_the_reference_price_of_the_same_tokens(bus, router):
    async with router():
        first = await chat(bus, ask("once"))
        await chat(bus, ask("once"))
        told = await bus.request("model.savings", Empty(), Savings)
    price = first.prompt_tokens * GPT_4O[0] + first.completion_tokens * GPT_4O[1]
    assert (told.llm_calls, told.cache_hits, told.cost_usd) == (2, 1, Decimal(0))
    assert told.saved_usd == 2 * price


async def test_rules_save_nothing(bus, router):
    async with router("offline"):
        await chat(bus, ask(TASK))
        told = await bus.request("model.savings", Empty(), Savings)
    assert (told.calls, told.llm_calls, told.offline_calls) == (1, 0, 1)
    assert told.saved_usd == 0
    assert told.prompt_tokens == 0


async def test_an_unknown_reference_price_is_unknown(bus, router):
    async with router(reference_model="no-such-model"):
        await chat(bus, ask())
        told = await bus.request("model.savings", Empty(), Savings)
    assert told.saved_usd is None
    assert "unknown" in told.notice


async def test_the_record_outlives_the_router(bus, router):
    async with router():
        await chat(bus, ask("first life"))
    async with router():
        assert (await bus.request("model.savings", Empty(), Savings)).calls == 1


async def test_the_report_shows_latency_errors_and_parts(bus, router):
    async with router():
        for n in range(4):
            await chat(bus, ask(f"question {n}"))
        await chat(bus, ask("question 0"))
        await bus.nc.request("model.chat", ask(model="mid").model_dump_json().encode(), 5)
        told = await bus.request("model.report", Empty(), OptimizationReport)
    by_model = {line.model: line for line in told.latency}
    assert (by_model["llama3.1:8b"].calls, by_model["mid"].errors) == (4, 1)
    assert by_model["llama3.1:8b"].p50_s <= by_model["llama3.1:8b"].p99_s
    assert told.parts["success"] == 4 / 5
    assert told.cache.hits == 1
    assert 0 < told.efficiency < 100


async def test_nothing_to_judge_is_null(bus, router):
    async with router():
        told = await bus.request("model.report", Empty(), OptimizationReport)
    assert told.efficiency is None
    assert told.recommendations == ()


async def test_all_at_home_is_a_hundred_and_each_part_says_why(bus, router):
    async with router():
        await chat(bus, ask())
        told = await bus.request("model.sovereignty", Empty(), Sovereignty)
    assert told.score == 100.0
    assert told.local_llm_share == 1.0
    assert told.parts
    assert all(part.explanation for part in told.parts)


async def test_ops_tells_of_healing_backups_and_commands(bus, router):
    lesson = Lesson(symptom="exit", remedy="restart", worked=9, failed=1, alpha=1, beta=1,
                    expected=0.9, low=0.8, high=1)  # fmt: skip
    backup = OpsCheck(name="backup", seen={"kept": 3, "age_s": 7200.0, "every_s": 86400.0})
    events = tuple(
        OpsEvent(event_id=str(n), kind="restarted" if n else "refused") for n in range(4)
    )
    await answer(bus, "ops.lessons", OpsLessons(lessons=(lesson,)))
    await answer(bus, "ops.status", OpsStatus(checks=(backup,)))
    await answer(bus, "ops.history", OpsHistory(events=events))
    async with router():
        told = await bus.request("model.sovereignty", Empty(), Sovereignty, 20.0)
    values = {part.name: part.value for part in told.parts}
    assert values["healed_without_help"] == 0.9
    assert values["backups"] == 1.0
    assert values["signed_commands"] == 0.75
    assert values["hosts_well"] is None


async def test_what_went_abroad_lowers_the_score(bus, router):
    async with router(allow_remote=True):
        await chat(bus, ask())
        await chat(bus, ask(model="remote-model"))
        told = await bus.request("model.sovereignty", Empty(), Sovereignty)
    values = {part.name: part.value for part in told.parts}
    assert values["calls_at_home"] == 0.5
    assert values["no_foreign_endpoint"] == 0.0
    assert told.score < 60


async def test_what_was_reached_counts_when_it_is_configured_no_more_and_when_it_failed(tmp_path):
    async with open_record(tmp_path / "calls.db") as record:
        writing = asyncio.create_task(record.run())
        for error in (None, "engine_failed", "budget_exceeded"):
            record.add(call(error))
        facts = await sovereignty.gather(record, Settings(host="here", data_dir=tmp_path), (), None)
        writing.cancel()
    parts = {part.name: part for part in sovereignty.judge(facts).parts}
    assert facts.abroad == 2
    assert parts["calls_at_home"].value == 0.0
    assert parts["no_foreign_endpoint"].value == 0.0
    assert "far (cloud) 2 times" in parts["no_foreign_endpoint"].explanation


async def test_what_failed_calls_cost_lowers_what_was_saved_and_is_on_the_bill(tmp_path):
    async with open_record(tmp_path / "calls.db") as record:
        writing = asyncio.create_task(record.run())
        record.add(call(None, 10**9))
        record.add(call("engine_failed", 2 * 10**9))
        accounts = Accounts(record, lambda _: None, "ref", Price(Decimal(1), Decimal(1)))
        saved = await savings(record, accounts)
        bill = (await Reporter(record, Monitor()).answer(MonitorAsk())).bill_usd
        writing.cancel()
    assert (saved.calls, saved.cost_usd) == (1, Decimal("0.003"))
    assert saved.saved_usd == Decimal("14.997")
    assert bill == Decimal("0.003")


def call(error: str | None, cost: int | None = None) -> Call:
    return Call(at=now().isoformat(), request_id="r", task_id=None, step_id=None, agent=None,
                tenant="default", engine="cloud", model="far", host="", is_llm=1, own_host=0,
                cache="off", prompt_tokens=10, completion_tokens=5, total_s=1.0, queue_s=0.0,
                first_token_s=None, load_s=None, prompt_s=None, eval_s=None, cost_pico=cost,
                error=error)  # fmt: skip


async def test_without_a_model_call_the_share_is_unknown(bus, router, fake):
    async with router("offline"):
        await chat(bus, ask(TASK))
        told = await bus.request("model.sovereignty", Empty(), Sovereignty)
    assert (told.local_llm_share, told.offline_share) == (None, 1.0)
    assert told.score is None
    assert told.measured_weight < 0.5
