import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager

import pytest

from services.agents import owner
from services.agents.fold import fold
from services.agents.journal import Journal
from services.agents.record import TaskRecord
from shared.bus import open_bus
from shared.events.base import Reason
from shared.events.dead import DeadLetter
from shared.events.journal import StepStarted, TaskQueued
from shared.events.tasks import Budget, TaskRequest, TaskState
from tests.agents.harness import (
    crew,
    dead,
    entries,
    kinds,
    model,
    reply,
    result,
    stored,
    submit,
    until,
    until_state,
)  # fmt: skip

POSITIONS = 14
"""Entries of a task of three steps: 2, then 3 a step, then 1; and two more for chance."""


@pytest.fixture
def fast(settings):
    quick = settings.agents.model_copy(update={"ack_wait_s": 1.0})
    return settings.model_copy(update={"agents": quick})


@asynccontextmanager
async def cut_at(bus, settings, position: int, *, abruptly: bool):
    """Run a crew of its own connection until the journal has `position` entries."""
    seen = asyncio.Queue()
    heard = await bus.nc.subscribe("task.journal.t1", cb=seen.put)
    await bus.nc.flush()
    async with open_bus(settings, "agents") as own, crew(own, settings, "agents-1"):
        yield
        for _ in range(position):
            await seen.get()
        if abruptly:
            await own.nc.close()
    await heard.unsubscribe()


@pytest.mark.parametrize("abruptly", [False, True], ids=["stopped", "cut off"])
async def test_a_crew_that_ends_at_a_chosen_entry_is_followed_by_another(bus, fast, abruptly):
    position = random.Random(f"seed {abruptly}").randrange(3, POSITIONS - 3)
    async with model(bus) as asked:
        async with cut_at(bus, fast, position, abruptly=abruptly):
            await submit(bus, template="default")
        async with crew(bus, fast, "agents-2"):
            done = await result(bus)
    assert (done.state, len(done.steps)) == (TaskState.DONE, len(done.plan.steps))
    answers = [(e.step_id, e.key) for e in await entries(bus) if e.kind == "model_answered"]
    assert max(Counter(answers).values()) == 1
    assert len(asked.asked) - len(answers) <= 1
    assert (await kinds(bus)).count("task_finished") == 1


async def test_a_stale_worker_is_refused(bus, fast):
    hold = asyncio.Event()

    async def answer(request):
        if len(asked.asked) == 1:
            await hold.wait()
        return reply(request, f"- answer {len(asked.asked)}")

    async with model(bus, answer) as asked, crew(bus, fast):
        await submit(bus)
        record = await until_state(bus, TaskState.RUNNING)
        [name] = record.steps
        newer = StepStarted(step_id=name, attempt=1, worker="newer", host="elsewhere")
        await Journal(bus).insist(record, newer, lambda _: True)
        hold.set()
        done = await result(bus)
    assert done.answer == "- answer 2"
    assert (await kinds(bus)).count("model_answered") == 1


async def test_a_step_that_kills_its_workers_ends_its_task(bus, fast):
    async def never(request):
        await asyncio.sleep(60)

    async with model(bus, never):
        async with cut_at(bus, fast, 3, abruptly=True):
            await submit(bus)
        journal = Journal(bus)
        record = await journal.read("t1")
        [name] = record.steps
        for _ in range(4):
            entry = StepStarted(step_id=name, attempt=1, worker="doomed", host="here")
            record = await journal.append(record, entry)
        async with crew(bus, fast, "agents-2"):
            done = await result(bus)
            letter = await dead(bus, "STEPS")
    assert (done.state, done.reason.code) == (TaskState.FAILED, "max_deliveries")
    assert letter["reason"]["code"] == "max_deliveries"


async def test_a_task_whose_message_was_set_aside_ends(bus, settings):
    async with model(bus), crew(bus, settings):
        await submit(bus, approval=True)
        record = await until_state(bus, TaskState.WAITING)
        letter = DeadLetter(
            stream="TASKS", subject="task.request.normal", seq=record.origin_seq,
            reason=Reason(code="max_deliveries", message="given up"), payload='{"task_id":"t1"}',
        )  # fmt: skip
        await bus.publish("dead.TASKS", letter, "letter")
        done = await result(bus)
    assert (done.state, done.reason.code) == (TaskState.FAILED, "max_deliveries")


async def test_nothing_is_left_in_the_queues_after_the_end(bus, settings):
    async with model(bus), crew(bus, settings):
        await submit(bus, template="default")
        await result(bus)
        await until(lambda: _empty(bus))


async def _empty(bus) -> bool:
    return await stored(bus, "TASKS") + await stored(bus, "STEPS") == 0


async def test_a_budget_of_before_there_were_bounds_ends_no_process(bus, settings):
    stored = b'{"kind": "task_queued", "priority": "high", "origin_seq": 1, "request":'
    stored += b' {"task_id": "t1", "title": "List it", "budget": {"seconds": 1e300}}}'
    await bus.js.publish("task.journal.t1", stored)
    async with model(bus), crew(bus, settings):
        await submit(bus)
        assert (await result(bus)).state is TaskState.DONE


def test_a_time_that_no_calendar_has_is_no_deadline():
    budget = Budget.model_construct(seconds=1e300)
    request = TaskRequest(title="x").model_copy(update={"budget": budget})
    assert fold("t1", [(1, TaskQueued(request=request, priority="high"))]).deadline is None


@pytest.mark.parametrize("where", ["outcome", "_seconds_left", "ended"])
async def test_a_fault_of_ours_in_one_step_ends_that_task_alone(bus, settings, monkeypatch, where):
    real = getattr(owner, where)

    def fault(*given):
        record = next(each for each in given if isinstance(each, TaskRecord))
        return 1 / 0 if record.task_id == "t1" else real(*given)

    monkeypatch.setattr(owner, where, fault)
    async with model(bus), crew(bus, settings):
        await submit(bus, "t1")
        await submit(bus, "t2")
        failed, done = await result(bus, "t1"), await result(bus, "t2")
    assert (failed.state, failed.reason.code) == (TaskState.FAILED, "internal")
    assert done.state is TaskState.DONE


@pytest.mark.parametrize(
    ("subject", "field"),
    [("task.step.nobody.high", "agent"), ("task.step.builder.soon", "priority")],
)
async def test_a_step_that_nobody_serves_is_set_aside(bus, settings, subject, field):
    await bus.js.add_consumer("STEPS", durable_name="other-low", filter_subject=OTHER)
    await bus.js.publish(OTHER, b"{}")
    await bus.js.publish(subject, b"{}")
    async with crew(bus, settings):
        letter = await dead(bus, "STEPS")
        await until(lambda: only_one_is_left(bus))
    assert (letter["subject"], letter["reason"]["field"]) == (subject, field)


OTHER = "task.step.other.low"


async def only_one_is_left(bus) -> bool:
    return await stored(bus, "STEPS") == 1


async def test_queues_that_somebody_deleted_come_back(bus, settings):
    async with model(bus), crew(bus, settings):
        await submit(bus, "t1")
        await result(bus, "t1")
        for stream in ("STEPS", "TASKS", "RESULTS"):
            for consumer in await bus.js.consumers_info(stream):
                await bus.js.delete_consumer(stream, consumer.name)
        await submit(bus, "t2")
        assert (await result(bus, "t2", within=30)).state is TaskState.DONE
