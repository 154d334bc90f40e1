"""Handing a task over, and waiting for its answer."""

from __future__ import annotations

import asyncio

import typer
from nats.js.api import PubAck

from cli.answers import show_answer, succeeded
from cli.attachments import File
from cli.connection import run
from cli.errors import FAILED
from cli.following import Feed, feed_of
from cli.output import emit_json, say, tell
from cli.progress import Display, display
from cli.requests import declare, send
from shared.bus import Bus
from shared.errors import TimedOut
from shared.events.tasks import TaskRequest, TaskResult
from shared.settings import Settings


def submit(task: TaskRequest, files: list[File], as_json: bool) -> None:
    """Store the task and print its id, alone on stdout, so that scripts can take it."""

    async def work(bus: Bus, settings: Settings) -> PubAck:
        return await send(bus, settings, task, files)

    ack = run(work)
    if as_json:
        emit_json(_receipt(task, ack))
        return
    tell(str(task.task_id))
    say("the same id was submitted before: it is one task" if ack.duplicate else "accepted")
    say(f"next: sovereign task watch {task.task_id}")


def submit_and_wait(
    task: TaskRequest, files: list[File], timeout_s: float | None, as_json: bool
) -> None:
    """Store the task, show its progress on stderr, print the answer; exit 1 if it failed."""

    async def work(bus: Bus, settings: Settings) -> TaskResult:
        await declare(bus, settings)
        feed = await feed_of(bus, str(task.task_id))
        await send(bus, settings, task, files)
        say(f"task {task.task_id} accepted")
        with display(err=True) as shown:
            return await final(feed, shown, str(task.task_id), timeout_s)

    result = run(work)
    if as_json:
        emit_json(result)
    else:
        show_answer(result, err=True)
    if not succeeded(result):
        raise typer.Exit(FAILED)


async def final(feed: Feed, shown: Display, task_id: str, timeout_s: float | None) -> TaskResult:
    """Show every change until the final result, and return it."""
    try:
        async with asyncio.timeout(timeout_s):
            async for change in feed.changes():
                shown.show(change)
                if isinstance(change, TaskResult):
                    return change
    except TimeoutError:
        pass
    line = f"not finished in {timeout_s:g} s, still going: sovereign task watch {task_id}"
    raise TimedOut(line)


def _receipt(task: TaskRequest, ack: PubAck) -> dict[str, object]:
    return {
        "task_id": task.task_id,
        "stream": ack.stream,
        "seq": ack.seq,
        "duplicate": bool(ack.duplicate),
    }
