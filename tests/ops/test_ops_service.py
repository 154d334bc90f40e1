"""The ops service as a real process under a real supervisor, with quick beats."""

import asyncio
import os
import signal

import pytest

from shared.errors import InvalidInput, NotFound
from shared.events import (
    BackupReply,
    CommandReply,
    OpsAsk,
    OpsChecks,
    OpsEvent,
    OpsHistory,
    OpsHistoryAsk,
    OpsLessons,
    OpsStatus,
)
from shared.events.reports import Empty
from shared.reading import read_subject
from tests.ops.conftest import Running, until


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    quick = {
        "SOVEREIGN_OPS__BEAT_S": "0.2",
        "SOVEREIGN_OPS__PAUSE_S": "0.6",
        "SOVEREIGN_OPS__MEMORY_MB__MATCH": "400",
        "SOVEREIGN_OPS__CHECK_S": "3600",
    }
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


async def cut_off(bus, pid: int) -> bool:
    """Tell whether a partition of this process was recorded."""
    for stored in await read_subject(bus, "OPS", "ops.event.symptom"):
        event = OpsEvent.model_validate_json(stored.data)
        if (event.symptom, event.evidence.get("pid")) == ("partition", pid):
            return True
    return False


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


async def test_a_living_process_that_is_cut_off_is_not_restarted(host):
    async with host.bus() as bus:
        await ready(bus, "match", "supervisor")
        pid = (await child(bus, "match"))["pid"]
        await bus.request("match.mute", Empty(), Empty)
        while not await cut_off(bus, pid):  # noqa: ASYNC110 - reading tells
            await asyncio.sleep(0.05)
        await bus.request("match.mute", Empty(), Empty)
        recovered = await until(bus, "recovered", "match", symptom="partition")
        assert (await child(bus, "match"))["pid"] == pid
    assert recovered.remedy == "none"


async def heard(bus, service: str) -> None:
    """Return when ops itself has heard the service, small as it is after its start."""
    while True:
        if any(i.service == service and i.rss_bytes for i in (await status(bus)).instances):
            return
        await asyncio.sleep(0.05)


async def test_memory_near_its_cap_is_drained_and_restarted(host):
    async with host.bus() as bus:
        await heard(bus, "match")
        await bus.request("match.grow", OpsHistoryAsk(limit=330), Empty, 20.0)
        symptom = await until(bus, "symptom", "match", symptom="memory")
        recovered = await until(bus, "recovered", "match", episode=symptom.episode)
    assert recovered.remedy == "drain"
    assert symptom.evidence["cap_bytes"] == 400 * 1024**2


async def test_lessons_checks_and_backups_are_given(host):
    async with host.bus() as bus:
        await until(bus, "leader", "ops", outcome="leads")
        lessons = await bus.request("ops.lessons", Empty(), OpsLessons)
        assert {"hang", "memory"} <= {lesson.symptom for lesson in lessons.lessons}
        found = await bus.request("ops.check", Empty(), OpsChecks, 60.0)
        assert {check.name for check in found.checks if check.state == "ok"} >= {"streams"}
        made = await bus.request("ops.backup", Empty(), BackupReply, 60.0)
        assert (host.folder / made.file).exists()
        assert (await status(bus)).checks == found.checks


async def test_a_stream_that_is_gone_is_declared_anew_by_the_supervisor(host):
    async with host.bus() as bus:
        await bus.js.delete_stream("MATCH")
        found = await bus.request("ops.check", Empty(), OpsChecks, 60.0)
        check = next(one for one in found.checks if one.name == "streams")
        assert (check.state, check.fixed) == (
            "fail", "streams, consumers and buckets are as declared"
        )  # fmt: skip
        assert (await bus.js.stream_info("MATCH")).state.messages == 0
        escalated = await until(bus, "escalated", "ops", symptom="check_streams")
    assert "MATCH is gone" in escalated.cause


async def test_a_crash_is_recorded_with_its_recovery(host):
    async with host.bus() as bus:
        await ready(bus, "sessions", "supervisor")
        os.kill((await child(bus, "sessions"))["pid"], signal.SIGKILL)
        outcome = await until(bus, "outcome", "sessions", symptom="crash")
        records = {one.service: one for one in (await status(bus)).services}
    assert records["sessions"].failures > 0
    assert records["sessions"].mttr_s > 0
    assert 0 < records["sessions"].availability < 1
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
