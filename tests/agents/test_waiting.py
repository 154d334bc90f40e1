import asyncio

from services.agents import engine
from shared.errors import Busy, Unavailable
from shared.errors import NeedsModel as Needs
from shared.events.tasks import TaskState
from tests.agents.harness import crew, kinds, model, reply, result, submit, until, until_state, view


async def test_a_step_without_a_model_waits_and_goes_on_when_one_appears(bus, settings):
    there = []

    async def answer(request):
        return reply(request) if there else Needs("only a model can answer this").envelope()

    async with model(bus, answer) as router, crew(bus, settings) as room:
        await submit(bus)
        await until_state(bus, TaskState.WAITING)
        [waiter] = await room.waiting.all()
        assert (waiter.entry.reason, (await view(bus)).state) == ("needs_model", "waiting")
        there.append(True)
        await router.beat(room)
        done = await result(bus)
        assert (done.state, done.steps[0].attempt) == (TaskState.DONE, 2)
        await until(lambda: nobody(room))


async def nobody(room) -> bool:
    return await room.waiting.all() == []


async def test_the_wait_for_a_model_survives_a_restart_of_the_crew(bus, settings):
    async def absent(request):
        return Needs("no model").envelope()

    async with model(bus, absent), crew(bus, settings):
        await submit(bus)
        await until_state(bus, TaskState.WAITING)
    async with model(bus) as router, crew(bus, settings, "agents-2") as room:
        await router.beat(room)
        assert (await result(bus)).state is TaskState.DONE


async def test_a_router_that_is_away_kills_no_task(bus, settings):
    async with crew(bus, settings):
        await submit(bus)
        await until_state(bus, TaskState.RUNNING)
        await asyncio.sleep(1.0)
        async with model(bus):
            assert (await result(bus)).state is TaskState.DONE
    assert "step_failed" not in await kinds(bus)


async def test_passing_trouble_is_tried_again_without_a_new_attempt(bus, settings):
    troubles = [Busy("full", retry_after_s=0.05), Unavailable("restarting")]

    async def answer(request):
        return troubles.pop().envelope() if troubles else reply(request)

    async with model(bus, answer) as asked, crew(bus, settings):
        await submit(bus)
        done = await result(bus)
    assert (done.state, done.steps[0].attempt, len(asked.asked)) == (TaskState.DONE, 1, 3)


async def test_a_router_that_vanishes_during_a_call_is_noticed(bus, settings):
    async def first_never(request):
        if len(asked.asked) == 1:
            await asyncio.sleep(60)
        return reply(request)

    async with model(bus, first_never) as asked, crew(bus, settings) as room:
        await asked.beat(room)
        await submit(bus)
        done = await result(bus, within=engine.SILENT_S + 10)
    assert (done.state, len(asked.asked)) == (TaskState.DONE, 2)
