import asyncio

import pytest

from services.agents import engine, questions, worker
from services.agents.journal import Journal, Stale
from services.agents.perform import Performer
from services.agents.room import open_room
from shared.bus import open_bus
from shared.errors import Busy, EngineFailed, Unavailable
from shared.errors import NeedsModel as Needs
from shared.events.journal import TaskPlanned
from shared.events.tasks import TaskState
from tests.agents.harness import crew, kinds, model, reply, result, submit, until, until_state, view
from tests.agents.test_fold import PLAN, queued, started


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


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(questions, "PAUSE_S", 0.02)
    monkeypatch.setattr(questions, "PATIENCE_S", 0.3)
    monkeypatch.setattr(worker, "AGAIN_S", 0.2)


@pytest.mark.usefixtures("quick")
async def test_an_engine_that_always_fails_ends_the_step_over_all_restarts(bus, settings):
    async def answer(request):
        if len(asked.asked) == 3:
            third.set()
            await asyncio.sleep(60)
        return EngineFailed("500 of the engine").envelope()

    third = asyncio.Event()
    async with model(bus, answer) as asked:
        async with crew(bus, settings):
            await submit(bus)
            await third.wait()
        async with crew(bus, settings, "agents-2"):
            done = await result(bus)
    assert (done.state, done.reason.code) == (TaskState.FAILED, "engine_failed")
    assert (len(asked.asked), (await kinds(bus)).count("step_troubled")) == (6, 5)


@pytest.mark.usefixtures("quick")
async def test_a_step_that_waits_long_for_room_lets_others_have_its_slot(bus, settings):
    async def answer(request):
        if request.task_id == "t1" and not free:
            return Busy("full", retry_after_s=0.1).envelope()
        return reply(request)

    free = []
    agents = settings.agents.model_copy(update={"slots": 1})
    async with model(bus, answer), crew(bus, settings.model_copy(update={"agents": agents})):
        await submit(bus, "t1", agent="builder")
        await until_state(bus, TaskState.RUNNING, "t1")
        await submit(bus, "t2", "urgent", agent="builder")
        assert (await result(bus, "t2")).state is TaskState.DONE
        free.append(True)
        assert (await result(bus, "t1")).state is TaskState.DONE
    assert "step_released" in await kinds(bus, "t1")


async def test_a_call_sent_to_a_router_that_was_gone_is_repeated_to_the_next(bus, settings):
    async def first_never(request):
        if len(asked.asked) == 1:
            await asked.beat(room)
            await asyncio.sleep(60)
        return reply(request)

    async with model(bus, first_never) as asked, crew(bus, settings) as room:
        await submit(bus)
        done = await result(bus, within=10)
    assert (done.state, len(asked.asked)) == (TaskState.DONE, 2)
    assert asked.cancelled == [asked.asked[0].request_id]


async def test_a_worker_that_lost_its_step_meanwhile_pays_no_second_call(bus, settings):
    async def answer(request):
        if len(asked.asked) > 1:
            return reply(request)
        record = await Journal(bus).read("t1")
        await Journal(bus).append(record, started("a", worker="newer"))
        return Unavailable("the connection broke").envelope()

    async with model(bus, answer) as asked, open_bus(settings, "agents") as own:
        room = await open_room(own, settings, "agents-1")
        record = await Journal(bus).open("t1", queued())
        record = await Journal(bus).append(record, TaskPlanned(plan=PLAN))
        record = await Journal(bus).append(record, started("a"))
        performer = Performer(room, room.crew["builder"], "a", record.seq)
        with pytest.raises(Stale):
            await performer.perform(record)
    assert len(asked.asked) == 1


async def test_an_empty_answer_of_a_model_says_whose_it_was(bus, settings):
    async def answer(request):
        return reply(request, " ", model="tiny")

    async with model(bus, answer), crew(bus, settings):
        await submit(bus)
        done = await result(bus)
    assert done.reason.message == "tiny (ollama) answered with an empty text"
    [step] = done.steps
    assert (step.model, step.usage.calls) == ("tiny", 3)


async def test_an_empty_answer_of_rules_waits_for_a_model(bus, settings):
    async def answer(request):
        return reply(request, "…", engine="offline", model="rules", is_llm=False)

    async with model(bus, answer), crew(bus, settings) as room:
        await submit(bus)
        await until_state(bus, TaskState.WAITING)
        [waiter] = await room.waiting.all()
    assert waiter.entry.reason == "needs_model"
    assert waiter.entry.message.startswith("the offline engine answered without a word: '…'")
