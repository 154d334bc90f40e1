import asyncio
from datetime import timedelta

import pytest

from shared.clock import now
from shared.events.tasks import TaskControl, TaskState
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
    view,
)

HARD = "Build and deploy the new shop, optimise its cost, then review the risks and decide"
LONG = "The shop has a catalogue, a basket, a till and a back office. " * 30


async def control(bus, action, task_id="t1", **more):
    word = TaskControl(action=action, task_id=task_id, by="ann", **more)
    await bus.publish(f"task.control.{task_id}", word, f"{task_id}.{action}.{more}")


async def test_approval_holds_no_worker_survives_a_restart_and_goes_on(bus, settings):
    async with model(bus) as asked, crew(bus, settings) as room:
        await submit(bus, approval=True)
        waiting = await until_state(bus, TaskState.WAITING)
        [waiter] = await room.waiting.all()
        assert (waiter.entry.reason, asked.asked) == ("approval", [])
    async with model(bus), crew(bus, settings, "agents-2") as room:
        await control(bus, "approve", step=next(iter(waiting.steps)))
        assert (await result(bus)).state is TaskState.DONE
        assert await room.waiting.all() == []


async def test_a_rejected_task_ends_with_who_and_why(bus, settings):
    async with model(bus), crew(bus, settings):
        await submit(bus, approval=True)
        await until_state(bus, TaskState.WAITING)
        await control(bus, "reject", reason="too dear")
        done = await result(bus)
    assert (done.state, done.reason.message) == (TaskState.REJECTED, "rejected by ann: too dear")


@pytest.mark.parametrize(
    ("word", "field"),
    [
        ({"action": "approve", "step": "nothing"}, "step"),
        ({"action": "approve"}, "step"),
        ({"action": "retry"}, "action"),
    ],
)
async def test_a_word_that_makes_no_sense_is_a_dead_letter(bus, settings, word, field):
    async with model(bus), crew(bus, settings):
        await submit(bus, approval=True)
        await until_state(bus, TaskState.WAITING)
        await control(bus, **word)
        assert (await dead(bus, "TASKS_CONTROL"))["reason"]["field"] == field


async def test_a_failed_task_is_retried_and_has_a_second_result(bus, settings):
    broken = [True]

    async def answer(request):
        if broken.pop() if broken else False:
            return {"error": {"code": "model_missing", "message": "no such model"}}
        return reply(request)

    async with model(bus, answer), crew(bus, settings):
        await submit(bus)
        failed = await result(bus)
        await control(bus, "retry")
        done = await result(bus, run=2)
    assert (failed.state, failed.reason.code) == (TaskState.FAILED, "model_missing")
    assert (done.state, done.run, done.steps[0].attempt) == (TaskState.DONE, 2, 2)


async def test_a_refused_task_is_not_retried(bus, settings):
    async with crew(bus, settings):
        await submit(bus, agent="nobody")
        await result(bus)
        await control(bus, "retry")
        letter = await dead(bus, "TASKS_CONTROL")
        assert "nobody" in letter["reason"]["message"]


async def test_a_paused_task_starts_no_step_until_it_is_resumed(bus, settings):
    async with model(bus) as asked, crew(bus, settings):
        await submit(bus, task_id="first", approval=True)
        await until_state(bus, TaskState.WAITING, "first")
        await control(bus, "pause", "first")
        name = next(iter((await until_state(bus, TaskState.WAITING, "first")).steps))
        await control(bus, "approve", "first", step=name)
        await submit(bus, task_id="other")
        await result(bus, "other")
        assert [request.task_id for request in asked.asked] == ["other"]
        await control(bus, "resume", "first")
        assert (await result(bus, "first")).state is TaskState.DONE


async def test_a_budget_of_tokens_stops_the_task_with_a_typed_reason(bus, settings):
    async with model(bus), crew(bus, settings):
        await submit(bus, template="default", budget={"tokens": 20})
        done = await result(bus)
    assert (done.state, done.reason.code) == (TaskState.FAILED, "budget_exhausted")
    assert done.reason.field == "budget.tokens"
    assert 0 < len(done.steps) < len(done.plan.steps)


async def test_a_deadline_reaches_a_running_call(bus, settings):
    async def slow(request):
        await asyncio.sleep(30)

    async with model(bus, slow) as asked, crew(bus, settings):
        await submit(bus, budget={"seconds": 1.5})
        done = await result(bus)
    assert (done.state, done.reason.code) == (TaskState.FAILED, "budget_exhausted")
    assert asked.cancelled == [asked.asked[0].request_id]


@pytest.mark.parametrize("title", ["List the open items", HARD])
async def test_a_cancel_that_is_heard_before_it_is_written_down_tells_who_and_why(
    bus, settings, title
):
    async def slow(request):
        await asyncio.sleep(30)

    async with model(bus, slow) as asked, crew(bus, settings) as room:
        await submit(bus, title=title, description=LONG if title is HARD else "")
        await until(lambda: called(asked))
        room.running.cancel("t1")
        await until(lambda: taken_back(asked))
        await control(bus, "cancel", reason="too dear")
        done = await result(bus)
        await until(lambda: heeded(bus))
        assert all(step.state is TaskState.CANCELLED for step in (await view(bus)).steps)
    assert (done.state, done.reason.message) == (TaskState.CANCELLED, "cancelled by ann: too dear")
    assert (len(asked.asked), await stored(bus, "DEAD")) == (1, 0)


async def called(asked) -> bool:
    return len(asked.asked) == 1


async def taken_back(asked) -> bool:
    return bool(asked.cancelled)


async def test_a_task_waits_for_another_and_sees_its_answer(bus, settings):
    async with model(bus) as asked, crew(bus, settings):
        await submit(bus, task_id="a", approval=True)
        first = await until_state(bus, TaskState.WAITING, "a")
        await submit(bus, task_id="b", depends_on=["a"])
        await until_state(bus, TaskState.WAITING, "b")
        await control(bus, "approve", "a", step=next(iter(first.steps)))
        assert (await result(bus, "b")).state is TaskState.DONE
    assert '<document name="task a">' in asked.asked[-1].messages[1].content
    assert "dependant_added" in await kinds(bus, "a")


async def test_a_task_fails_with_the_one_that_it_waits_for(bus, settings):
    async with model(bus), crew(bus, settings):
        await submit(bus, task_id="a", approval=True)
        await until_state(bus, TaskState.WAITING, "a")
        await submit(bus, task_id="b", depends_on=["a"])
        await until_state(bus, TaskState.WAITING, "b")
        await control(bus, "cancel", "a")
        done = await result(bus, "b")
    assert (done.state, done.reason.code) == (TaskState.FAILED, "dependency_failed")


async def test_a_task_is_not_begun_before_its_time(bus, settings):
    due = now() + timedelta(seconds=2)
    async with model(bus), crew(bus, settings):
        await submit(bus, not_before=due)
        await until_state(bus, TaskState.WAITING)
        await result(bus)
    planned = next(entry for entry in await entries(bus) if entry.kind == "task_planned")
    assert planned.at >= due


async def test_a_cancel_that_overtakes_its_task_still_cancels(bus, settings):
    async with model(bus) as asked, crew(bus, settings):
        await control(bus, "cancel")
        await until(lambda: delivered(bus))
        await submit(bus)
        done = await result(bus)
        await until(lambda: heeded(bus))
    assert (done.state, done.reason.message) == (TaskState.CANCELLED, "cancelled by ann")
    assert (asked.asked, await stored(bus, "DEAD")) == ([], 0)
    assert (await kinds(bus)).count("control_received") == 1


async def delivered(bus) -> bool:
    return (await bus.js.consumer_info("TASKS_CONTROL", "manager")).num_ack_pending == 1


async def heeded(bus) -> bool:
    return await stored(bus, "TASKS_CONTROL") == 0


async def test_a_rejected_task_is_retried_and_has_a_second_result(bus, settings):
    async with model(bus), crew(bus, settings):
        await submit(bus, approval=True)
        await until_state(bus, TaskState.WAITING)
        await control(bus, "reject")
        await result(bus)
        await control(bus, "retry")
        again = await until_state(bus, TaskState.WAITING)
        await until(lambda: shown(bus, "waiting"))
        await control(bus, "approve", step=next(iter(again.steps)))
        done = await result(bus, run=2)
    assert (done.state, done.run) == (TaskState.DONE, 2)


async def shown(bus, state) -> bool:
    found = await view(bus)
    return (found.state, found.run) == (state, 2)
