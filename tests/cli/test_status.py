import asyncio
import json

import pytest

from cli.status import engine_line, span
from shared.events import Beat, EngineStatus, InstanceStatus, OpsStatus
from shared.subjects import health_beat
from tests.cli import crew
from tests.cli.conftest import answer

SIX = ("router", "agents", "match", "ops", "sessions", "dashboard")
ENGINE = EngineStatus(engine="offline", setting="auto", state="absent", is_llm=False)


def instance(service, **more):
    return InstanceStatus(
        service=service, instance=f"{service}-1", host="here", silent_s=0.4, uptime_s=90,
        loop_lag_s=0.002, rss_bytes=50_000_000, **{"state": "ready"} | more,
    )  # fmt: skip


async def test_status_is_fine_when_all_six_are(cli, bus):
    await answer(bus, "ops.status", OpsStatus(instances=tuple(map(instance, SIX))))
    await answer(bus, "model.status", ENGINE)
    await crew.put(bus, crew.view("one"))
    done = await cli("status", "--json")
    seen = json.loads(done.stdout)
    assert (done.exit_code, seen["healthy"], seen["missing"]) == (0, True, [])
    assert (seen["engine"]["engine"], seen["tasks"]["running"]) == ("offline", 1)


async def test_a_sick_instance_makes_status_fail(cli, bus):
    sick = (*map(instance, SIX[1:]), instance("router", state="silent", symptom="hang"))
    await answer(bus, "ops.status", OpsStatus(instances=sick))
    done = await cli("status")
    assert done.exit_code == 1
    assert "hang" in done.stdout


async def test_without_ops_the_beats_tell(cli, bus):
    beat = Beat(
        service="router", instance="r-1", host="here", boot="b", pid=1, seq=1, state="ready",
        info={"engine": ENGINE.model_dump(mode="json"), "door": "http://127.0.0.1:8402/v1"},
    )  # fmt: skip

    looking = asyncio.create_task(cli("status", "--json"))
    while not looking.done():
        await bus.emit(health_beat("router", "r-1"), beat)
        await asyncio.wait([looking], timeout=0.1)
    seen = json.loads(looking.result().stdout)
    assert (seen["source"], seen["engine"]["engine"]) == ("beats", "offline")
    assert "router" not in seen["missing"]
    assert seen["door"] == "http://127.0.0.1:8402/v1"


async def test_an_empty_bus_names_what_is_missing(cli):
    done = await cli("status")
    assert done.exit_code == 1
    assert "not running: router, agents" in done.stdout
    assert "nobody answers model requests" in done.stdout


def test_rules_never_pass_for_a_model():
    line = engine_line(ENGINE.model_dump())
    assert "no language model" in line


@pytest.mark.parametrize(
    ("seconds", "shown"), [(5, "5 s"), (65, "1 m 5 s"), (3700, "1 h 1 m"), (90_000, "1 d 1 h")]
)
def test_spans_have_two_units(seconds, shown):
    assert span(seconds) == shown
