"""Priority over the whole way, with real queues: nothing of it is decided in memory."""

import asyncio

from shared.events.tasks import TaskRequest
from shared.reading import read_subject
from tests.agents.harness import crew, model, reply, result, submit, until


async def hand_in(bus, name, count, priority):
    """Store many tasks for one agent; they wait in the server's queue."""
    for begin in range(0, count, 100):
        names = [f"{name}-{number}" for number in range(begin, min(begin + 100, count))]
        tasks = [TaskRequest(task_id=one, title="x", agent="builder") for one in names]
        await asyncio.gather(
            *(bus.publish(f"task.request.{priority}", task, str(task.task_id)) for task in tasks)
        )


async def ended(bus):
    """The tasks that have ended, in that order."""
    found = await read_subject(bus, "RESULTS", "agent.result.crew.*")
    return [one.subject.rsplit(".", 1)[1] for one in found]


async def test_an_urgent_task_overtakes_a_thousand_low_ones_that_wait(bus, settings):
    await hand_in(bus, "low", 1000, "low")
    async with model(bus), crew(bus, settings):
        await until(lambda: _some(bus, "low-", 3))
        await submit(bus, "urgent", "urgent", agent="builder")
        await result(bus, "urgent")
        before = await ended(bus)
        assert before.index("urgent") < 500
        await until(lambda: _some(bus, "low-", len(before) + 3))


async def test_low_moves_while_urgent_ones_come(bus, settings):
    one_slot = settings.agents.model_copy(update={"slots": 1})

    async def answer(request):
        await asyncio.sleep(0.005)
        return reply(request)

    await hand_in(bus, "urgent", 80, "urgent")
    await hand_in(bus, "low", 5, "low")
    async with (
        model(bus, answer),
        crew(bus, settings.model_copy(update={"agents": one_slot})),
    ):
        await until(lambda: _some(bus, "urgent-", 80), within=40)
        assert any(name.startswith("low-") for name in await ended(bus))


async def _some(bus, start, count):
    return sum(name.startswith(start) for name in await ended(bus)) >= count
