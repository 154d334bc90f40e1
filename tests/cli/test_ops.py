import json
from datetime import UTC, datetime

import anyio

from shared import backups
from shared.events import (
    BackupReply,
    CommandReply,
    InstanceStatus,
    Lesson,
    OpsCheck,
    OpsChecks,
    OpsEvent,
    OpsHistory,
    OpsLessons,
    OpsStatus,
    ServiceRecord,
)
from tests.cli.conftest import answer

ONE = InstanceStatus(
    service="router", instance="router-1", host="here", state="ready", silent_s=0.2,
    uptime_s=10, loop_lag_s=0, rss_bytes=1,
)  # fmt: skip


async def test_status_lists_instances(cli, bus):
    await answer(bus, "ops.status", OpsStatus(leader="ops-1", revision=7, instances=(ONE,)))
    done = await cli("ops", "status")
    assert done.exit_code == 0
    assert "router-1" in done.stdout
    assert "leader ops-1, revision 7" in done.stdout


async def test_status_fails_when_ops_says_so(cli, bus):
    await answer(bus, "ops.status", OpsStatus(healthy=False))
    assert (await cli("ops", "status", "--json")).exit_code == 1


async def test_history_asks_for_what_was_named(cli, bus):
    event = OpsEvent(event_id="e", kind="restarted", service="router", remedy="restart")
    asked = await answer(bus, "ops.history", OpsHistory(events=(event,)))
    done = await cli("ops", "history", "-n", "5", "--service", "router")
    assert "restarted" in done.stdout
    assert (asked[0]["limit"], asked[0]["service"]) == (5, "router")


async def test_restart_carries_the_reason_and_who_asked(cli, bus):
    asked = await answer(bus, "ops.restart", CommandReply(command_id="c", accepted=True))
    done = await cli("ops", "restart", "router", "--reason", "new model", "--json")
    assert json.loads(done.stdout)["accepted"] is True
    assert (asked[0]["service"], asked[0]["reason"]) == ("router", "new model")


async def test_a_restart_tells_where_its_outcome_will_be(cli, bus):
    await answer(bus, "ops.restart", CommandReply(command_id="c", accepted=True))
    done = await cli("ops", "restart", "router")
    assert "sovereign ops history --service router" in done.stderr


async def test_a_refused_command_fails(cli, bus):
    await answer(bus, "ops.drain", CommandReply(command_id="c", accepted=False, detail="why not"))
    done = await cli("ops", "drain", "router")
    assert (done.exit_code, done.stdout) == (1, "refused: why not\n")


async def test_a_target_that_is_no_token_is_wrong_usage(cli, bus):
    assert (await cli("ops", "restart", "rou.ter")).exit_code == 2


async def test_the_status_tells_how_often_a_service_fell_and_how_soon_it_was_back(cli, bus):
    record = ServiceRecord(
        service="router", host="here", failures=2, recovered=2, mttr_s=1.25, availability=0.9991,
        since=datetime(2026, 11, 1, tzinfo=UTC),
    )  # fmt: skip
    await answer(bus, "ops.status", OpsStatus(instances=(ONE,), services=(record,)))
    done = await cli("ops", "status")
    assert "1.2 s" in done.stdout
    assert "99.910 %" in done.stdout


async def test_lessons_show_what_is_expected(cli, bus):
    lesson = Lesson(
        symptom="hang", remedy="restart", worked=3, failed=1, alpha=7, beta=2, expected=0.7778,
        low=0.55, high=0.95,
    )  # fmt: skip
    await answer(bus, "ops.lessons", OpsLessons(lessons=(lesson,)))
    assert "0.78" in (await cli("ops", "lessons")).stdout
    told = json.loads((await cli("ops", "lessons", "--json")).stdout)
    assert told["lessons"][0]["worked"] == 3


async def test_a_check_that_fails_is_told_and_is_a_failure(cli, bus):
    bad = OpsCheck(name="disk", state="fail", advice="no room")
    await answer(bus, "ops.check", OpsChecks(checks=(OpsCheck(name="memory"), bad)))
    done = await cli("ops", "check")
    assert (done.exit_code, "no room" in done.stdout) == (1, True)


async def test_a_backup_tells_where_it_is(cli, bus):
    made = BackupReply(file="/data/backups/x.tar", host="here", bytes=7)
    await answer(bus, "ops.backup", made)
    done = await cli("ops", "backup", "--json")
    assert json.loads(done.stdout)["file"] == "/data/backups/x.tar"


async def test_a_restore_brings_a_stream_back_and_asks_first(cli, bus, tmp_path, monkeypatch):
    monkeypatch.setattr("cli.healing.LISTEN_S", 0.05)
    event = OpsEvent(event_id="e", kind="started", service="match")
    await bus.publish("ops.event.started", event, "e")
    made = await backups.make(bus, tmp_path, "here")
    await bus.js.purge_stream("OPS")
    asked = await cli("ops", "restore", made.file)
    assert (asked.exit_code, (await bus.js.stream_info("OPS")).state.messages) == (2, 0)
    done = await cli("ops", "restore", made.file, "--stream", "OPS", "--yes")
    assert done.stdout == "OPS: 1 messages are back\n"
    wrong = await cli("ops", "restore", made.file, "--stream", "OOPS", "--yes")
    assert (wrong.exit_code, "holds no OOPS" in wrong.stderr) == (2, True)


async def test_nothing_is_restored_while_services_write(cli, bus, tmp_path, monkeypatch):
    monkeypatch.setattr("cli.healing.LISTEN_S", 1.0)
    made = await backups.make(bus, tmp_path, "here")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_beat_for_ever, bus)
        done = await cli("ops", "restore", made.file, "--yes")
        tasks.cancel_scope.cancel()
    assert done.exit_code == 1
    assert "agents would write meanwhile" in done.stderr


async def _beat_for_ever(bus) -> None:
    while True:
        await bus.nc.publish("health.beat.agents.agents-1", b"{}")
        await anyio.sleep(0.02)
