"""The ops service as a real process under a real supervisor, with quick beats."""

import asyncio
import os
import signal

import pytest

from shared.errors import InvalidInput, NotFound
from shared.events import CommandReply, OpsAsk, OpsHistory, OpsHistoryAsk, OpsStatus
from shared.events.reports import Empty
from tests.ops.conftest import Running, until


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    quick = {"SOVEREIGN_OPS__BEAT_S": "0.2", "SOVEREIGN_OPS__PAUSE_S": "0.6"}
    running = Running(tmp_path_factory.mktemp("ops"), **quick)
    running.start("match", "sessions", "ops")
    running.banner()
    yield running
    running.destroy()


async def status(bus) -> OpsStatus:
    return await bus.request("ops.status", Empty(), OpsStatus)


async def child(bus, service: str) -> dict:
    found = (await status(bus)).instances
    supervisor = next(i for i in found if i.service == "supervisor")
    return supervisor.info["children"][service]


async def ready(bus, *services: str) -> None:
    while True:
        found = {i.service: i for i in (await status(bus)).instances}
        if all(name in found and found[name].state == "ready" for name in services):
            return
        await asyncio.sleep(0.05)


async def test_the_status_tells_who_leads_and_who_is_well(host):
    async with host.bus() as bus:
        await ready(bus, "match", "sessions", "ops", "supervisor")
        await until(bus, "leader", "ops", outcome="leads")
        found = await status(bus)
    assert found.leader == "here/ops-1"
    assert found.revision > 0


async def test_a_stopped_process_is_found_out_restarted_and_proven_back(host):
    async with host.bus() as bus:
        await ready(bus, "match", "supervisor")
        pid = (await child(bus, "match"))["pid"]
        os.kill(pid, signal.SIGSTOP)
        symptom = await until(bus, "symptom", "match", symptom="hang")
        recovered = await until(bus, "recovered", "match", episode=symptom.episode)
        decision = await until(bus, "decision", "match", episode=symptom.episode)
        outcome = await until(bus, "outcome", "match", episode=symptom.episode)
        assert (await child(bus, "match"))["pid"] != pid
    assert symptom.evidence["phi"] >= 8
    assert (decision.remedy, outcome.outcome) == ("restart", "recovered")
    assert recovered.duration_s > 0


async def test_a_blocked_loop_is_a_hang_too(host):
    async with host.bus() as bus:
        await ready(bus, "match", "supervisor")
        pid = (await child(bus, "match"))["pid"]
        await bus.nc.publish("match.block", b"{}")
        while (await child(bus, "match"))["pid"] in (pid, None):  # noqa: ASYNC110 - asking tells
            await asyncio.sleep(0.05)
        await ready(bus, "match", "supervisor")


async def test_a_crash_is_recorded_with_its_recovery(host):
    async with host.bus() as bus:
        await ready(bus, "sessions", "supervisor")
        os.kill((await child(bus, "sessions"))["pid"], signal.SIGKILL)
        outcome = await until(bus, "outcome", "sessions", symptom="crash")
    assert outcome.outcome == "recovered"
    assert outcome.cause.startswith("killed by SIGKILL")


async def test_a_person_may_restart_and_the_record_says_who(host):
    async with host.bus() as bus:
        await ready(bus, "sessions", "supervisor")
        ask = OpsAsk(service="sessions", reason="new notes", by="ada")
        reply = await bus.request("ops.restart", ask, CommandReply, 15.0)
        assert reply.accepted
        assert reply.detail.startswith("here: sessions is back after ")
        found = {i.service: i for i in (await status(bus)).instances}
        assert found["sessions"].state == "ready"
        exited = await until(bus, "exited", "sessions", cause="ops/ops-1: ada: new notes")
        assert exited.evidence["planned"]
        newest = await bus.request("ops.history", OpsHistoryAsk(service="sessions"), OpsHistory)
        assert newest.events[0].at >= newest.events[-1].at


async def test_asking_for_what_nobody_runs_names_the_field(host):
    async with host.bus() as bus:
        with pytest.raises(NotFound, match="no supervisor on hosts here runs nobody"):
            await bus.request("ops.drain", OpsAsk(service="nobody", reason="x"), CommandReply)
        with pytest.raises(InvalidInput) as caught:
            await bus.request("ops.drain", Empty(), CommandReply)
        assert caught.value.field == "service"


async def test_forged_beats_are_counted_and_nothing_breaks(host):
    async with host.bus() as bus:
        for data in (b"garbage", b"[1]", b"\xff"):
            await bus.nc.publish("health.beat.match.match-9", data)
        while True:
            ops = next(i for i in (await status(bus)).instances if i.service == "ops")
            if ops.info["refused_beats"] >= 3:
                break
            await asyncio.sleep(0.05)
