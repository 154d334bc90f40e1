"""Looking at tasks: the list, one of them, one of them as it runs."""

from __future__ import annotations

import asyncio

import typer

from cli.answers import show_answer, succeeded
from cli.answers import show_task as print_task
from cli.connection import ask, run
from cli.errors import FAILED
from cli.following import Feed, feed_of
from cli.output import cut, emit_json, pairs, say, table
from cli.progress import JsonLines, display
from cli.schedules import scheduled, told
from cli.submitting import final
from cli.views import acknowledged, recent, result_of, view_of
from shared.bus import Bus
from shared.errors import InvalidInput, NotFound
from shared.events.reports import Empty
from shared.events.schedules import ScheduledTask
from shared.events.tasks import TaskResult, TaskState, TaskView
from shared.events.templates import TemplateList
from shared.runs import present
from shared.settings import Settings

Shown = tuple[TaskView | None, TaskResult | None, ScheduledTask | None]

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
    """Print one task, also one that no manager has taken yet; raise `NotFound` for none.

    A result of before the last retry is history: it is shown as JSON, in `earlier`.
    """

    async def work(bus: Bus, _: Settings) -> Shown:
        view, result = await view_of(bus, task_id), await result_of(bus, task_id)
        later = None
        if view is None and result is None:
            view = await acknowledged(bus, task_id)
            later = await scheduled(bus, task_id) if view is None else None
        return view, result, later

    view, result, later = run(work)
    if later is not None:
        _show_scheduled(later, as_json)
        return
    if view is None and result is None:
        raise NotFound(f"no task {task_id}: see `sovereign task list`")
    ended = present(view, result)
    if as_json:
        earlier = result if ended is None else None
        emit_json({"task": view, "result": ended, "earlier": earlier})
    else:
        print_task(view, ended)


def _show_scheduled(later: ScheduledTask, as_json: bool) -> None:
    if as_json:
        emit_json({"scheduled": later})
    else:
        pairs(
            [
                ("schedule", later.schedule_id),
                ("title", later.request.title),
                ("state", f"scheduled {told(later)}"),
            ]
        )


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


def list_templates(as_json: bool) -> None:
    """Print the named plans of the crew at work."""
    found = ask("agent.templates", Empty(), TemplateList)
    if as_json:
        emit_json(found.templates)
        return
    rows = [
        (one.name, " ".join(s.id for s in one.steps), one.description) for one in found.templates
    ]
    table(("template", "steps", "what for"), rows)


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
