"""A crew of one: takes a task from the real queue and tells views, words and the result."""

import asyncio

from cli.views import view_subject
from shared.clock import now
from shared.events import (
    LiveUpdate,
    Plan,
    PlanStep,
    Priority,
    Reason,
    StepResult,
    StepView,
    TaskRequest,
    TaskResult,
    TaskState,
    TaskView,
    Timing,
    Usage,
)
from shared.subjects import agent_result, task_live

STEP = {"id": "s1", "agent": "analyzer", "title": "Read it"}


def view(task_id, state=TaskState.RUNNING, step=TaskState.RUNNING, reason=None):
    steps = (StepView(**STEP, state=step, started_at=now(), host="here", reason=reason),)
    return TaskView(
        task_id=task_id, title="Read the notes", priority=Priority.NORMAL, state=state,
        created_at=now(), updated_at=now(), plan_origin="rule", steps=steps,
    )  # fmt: skip


def result(task_id, state=TaskState.DONE, answer="First the keys, then the rest."):
    step = StepResult(
        task_id=task_id, step_id="s1", agent="analyzer", title="Read it", state=state,
        output="the keys", engine="offline",
    )  # fmt: skip
    failed = state == TaskState.FAILED
    return TaskResult(
        task_id=task_id, title="Read the notes", state=state, answer=answer, engine="offline",
        plan=Plan(steps=(PlanStep(**STEP, instruction="Read"),), origin="rule"), steps=(step,),
        reason=Reason(code="engine_failed", message="it broke") if failed else None,
        usage=Usage(calls=1), timing=Timing(makespan_s=1.5, step_seconds=1.5, speedup=1.0),
    )  # fmt: skip


async def put(bus, shown):
    """Store a view as the manager does."""
    await bus.js.publish(view_subject(shown.task_id), shown.model_dump_json().encode())


async def finish(bus, ended):
    await bus.publish(agent_result("crew", ended.task_id), ended, f"result-{ended.task_id}")


async def work(bus, state=TaskState.DONE):
    """Take one task and carry it to its end; return the request."""
    queue = await bus.js.pull_subscribe_bind("manager-normal", "TASKS")
    message = (await queue.fetch(1, timeout=20))[0]
    task = TaskRequest.model_validate_json(message.data)
    await message.ack_sync()
    await put(bus, view(task.task_id))
    words = LiveUpdate(task_id=task.task_id, step_id="s1", kind="text", text="First")
    await bus.emit(task_live(task.task_id), words)
    await put(bus, view(task.task_id, state, state))
    await finish(bus, result(task.task_id, state))
    return task


async def beside(bus, command, state=TaskState.DONE):
    """Run the command while a crew works; return the command's result and the request."""
    return await asyncio.gather(command, work(bus, state))
