"""Schedules that the server itself keeps: what fires is a task, once."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.bus import open_bus
from shared.clock import now
from shared.events.schedules import ScheduledTask
from shared.events.tasks import TaskRequest, TaskState
from shared.reading import read_subject
from shared.streams import SCHEDULES
from tests.agents.harness import crew, dead, model, result, stored, until

REQUEST = TaskRequest(title="List the open items", priority="high")
FIRED = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


async def leave(bus, name, when):
    wanted = ScheduledTask(schedule_id=name, when=when, request=REQUEST)
    headers = {"Nats-Schedule": when, "Nats-Schedule-Target": f"task.due.{name}"}
    await bus.publish(f"task.schedule.{name}", wanted, name, headers=headers)


def test_a_firing_has_one_id_however_often_it_is_delivered():
    again = ScheduledTask(schedule_id="nightly", when="@daily", request=REQUEST)
    once = ScheduledTask(schedule_id="later", when="@at 2026-01-02T03:04:05Z", request=REQUEST)
    assert again.task(FIRED).task_id == "nightly-20260102T030405Z"
    assert once.task(FIRED).task_id == "later"


def test_an_id_that_leaves_no_room_for_the_instant_is_refused():
    with pytest.raises(ValueError, match="47"):
        ScheduledTask(schedule_id="x" * 48, when="@daily", request=REQUEST)
    ScheduledTask(schedule_id="x" * 64, when="@at 2026-01-02T03:04:05Z", request=REQUEST)


async def test_a_time_comes_once_and_a_repetition_again_and_again_even_after_a_crash(
    bus, settings, nats_server
):
    due = now() + timedelta(seconds=1)
    await leave(bus, "later", f"@at {due.isoformat().replace('+00:00', 'Z')}")
    await leave(bus, "often", "@every 1s")
    nats_server.kill()
    nats_server.start()
    async with open_bus(settings, "after") as own, model(own), crew(own, settings):
        done = await result(own, "later", within=40)
        await until(lambda: _often(own, 2), within=40)
        await own.js.purge_stream(SCHEDULES.name, subject="task.schedule.often")
        await until(lambda: _empty(own), within=40)
        names = await _subjects(own)
    assert done.state is TaskState.DONE
    assert names.count("agent.result.crew.later") == 1
    assert len(names) == len(set(names))


async def test_what_fires_and_makes_no_sense_is_a_dead_letter(bus, settings):
    headers = {"Nats-Schedule": "@every 1s", "Nats-Schedule-Target": "task.due.bad"}
    await bus.js.publish("task.schedule.bad", b"{}", headers=headers)
    async with crew(bus, settings):
        assert (await dead(bus, "SCHEDULES"))["reason"]["field"] == "schedule_id"


async def _subjects(bus):
    found = await read_subject(bus, "RESULTS", "agent.result.crew.*")
    return [each.subject for each in found]


async def _often(bus, times):
    return sum("often-" in subject for subject in await _subjects(bus)) >= times


async def _empty(bus):
    return await stored(bus, SCHEDULES.name) == 0
