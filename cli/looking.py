"""Looking at tasks: the list, one of them, one of them as it runs."""

from __future__ import annotations

import asyncio

import typer

from cli.answers import show_answer, succeeded
from cli.answers import show_task as print_task
from cli.connection import run
from cli.errors import FAILED
from cli.following import Feed, feed_of
from cli.output import cut, emit_json, say, table
from cli.progress import JsonLines, display
from cli.submitting import final
from cli.views import recent, result_of, view_of
from shared.bus import Bus
from shared.errors import InvalidInput, NotFound
from shared.events.tasks import TaskResult, TaskState, TaskView
from shared.settings import Settings

TAKEN_S = 5.0
"""Seconds that a manager may need to take a task that was just submitted."""


def list_tasks(limit: int, state: str | None, as_json: bool) -> None:
    """Print the tasks that changed last."""
    wanted = _state(state)

    async def work(bus: Bus, _: Settings) -> list[TaskView]:
        return await recent(bus, limit, wanted)

    views = run(work)
    if as_json:
        emit_json(views)
    elif views:
        table(("task", "state", "priority", "updated", "steps", "title"), map(_row, views))
    else:
        say("no tasks yet: sovereign task submit 'What should be done first?' --wait")


def show_task(task_id: str, as_json: bool) -> None:
    """Print one task; raise `NotFound` when neither a view nor a result is there."""

    async def work(bus: Bus, _: Settings) -> tuple[TaskView | None, TaskResult | None]:
        return await view_of(bus, task_id), await result_of(bus, task_id)

    view, result = run(work)
    if view is None and result is None:
        raise NotFound(f"no task {task_id}: see `sovereign task list`")
    if as_json:
        emit_json({"task": view, "result": result})
    else:
        print_task(view, result)


def watch_task(task_id: str, timeout_s: float | None, as_json: bool) -> None:
    """Show one task until it ends; exit 1 when it failed."""

    async def work(bus: Bus, _: Settings) -> TaskResult:
        feed = await feed_of(bus, task_id)
        await _news(feed, task_id)
        with JsonLines() if as_json else display(err=False) as shown:
            return await final(feed, shown, task_id, timeout_s)

    result = run(work)
    if not as_json:
        show_answer(result, err=False)
    if not succeeded(result):
        raise typer.Exit(FAILED)


async def _news(feed: Feed, task_id: str) -> None:
    """Return when anything is known of the task: one just submitted is taken within seconds."""
    try:
        async with asyncio.timeout(TAKEN_S):
            async for _ in feed.changes():
                return
    except TimeoutError:
        line = (
            f"no task {task_id} in {TAKEN_S:g} s: see `sovereign task list` and `sovereign status`"
        )
        raise NotFound(line) from None


def _state(word: str | None) -> TaskState | None:
    if word is None:
        return None
    try:
        return TaskState(word)
    except ValueError:
        words = ", ".join(TaskState)
        raise InvalidInput(f"--state: {word!r} is none of {words}", field="--state") from None


def _row(view: TaskView) -> tuple[object, ...]:
    done = sum(step.state == TaskState.DONE for step in view.steps)
    steps = f"{done}/{len(view.steps)}" if view.steps else ""
    updated = f"{view.updated_at.astimezone():%m-%d %H:%M:%S}"
    return view.task_id, view.state, view.priority, updated, steps, cut(view.title, 60)
