import json

from shared.events import CommandReply, InstanceStatus, OpsEvent, OpsHistory, OpsStatus
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
