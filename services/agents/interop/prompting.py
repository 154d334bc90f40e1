"""One prompt: stored as a task, acknowledged, followed to its end, answered as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from nats.aio.msg import Msg
from nats.micro.request import Request
from pydantic import ValidationError

from services.agents.closing import CREW, STREAM
from services.agents.interop.wire import END, read_prompt, response, status, task_of
from shared.bus import Bus, decode
from shared.errors import SovereignError, TimedOut, Unavailable
from shared.events.tasks import LiveUpdate, Priority, TaskRequest, TaskResult, TaskState
from shared.headers import MSG_ID
from shared.reading import last_of
from shared.rpc import refuse
from shared.subjects import agent_result, task_live, task_request
from shared.subscriptions import subscribed

QUIET_S = 15.0
"""Seconds without news after which the caller hears that the work goes on: it gives up at 60."""


class EndedBadly(SovereignError):
    """The task came to another end than `done`; the code says which."""

    code = "task_failed"


async def serve(bus: Bus, request: Request, agent: str | None) -> None:
    """Answer one prompt; whatever goes wrong is an error frame before the end of the stream.

    The acknowledgement is sent when the task is stored: from then on it is never lost, and goes
    on even when the caller leaves. Its id is told as a status.
    """
    try:
        task = task_of(read_prompt(request.data), agent, (request.headers or {}).get(MSG_ID))
        async with _news(bus, str(task.task_id)) as news:
            await _submit(bus, task)
            await request.respond(status("ack"))
            await request.respond(status(f"task {task.task_id}"))
            await request.respond(response(await _answer(bus, request, task, news)))
    except SovereignError as error:
        await refuse(request, error)
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True), anyio.move_on_after(1.0):
            await refuse(request, Unavailable("this host is leaving; what was stored goes on"))
            await request.respond(END)
        raise
    await request.respond(END)


async def _submit(bus: Bus, task: TaskRequest) -> None:
    await bus.publish(task_request(Priority.NORMAL), task, str(task.task_id))


@asynccontextmanager
async def _news(bus: Bus, task_id: str) -> AsyncIterator[asyncio.Queue[LiveUpdate | None]]:
    """Yield what is told of a task from now on; None means that its result is there."""
    news: asyncio.Queue[LiveUpdate | None] = asyncio.Queue()

    async def on_live(message: Msg) -> None:
        try:
            news.put_nowait(LiveUpdate.model_validate_json(message.data))
        except ValidationError:
            return

    async def on_end(_: Msg) -> None:
        news.put_nowait(None)

    wanted = ((task_live(task_id), on_live), (agent_result(CREW, task_id), on_end))
    async with subscribed(bus.nc, wanted):
        yield news


async def _answer(
    bus: Bus, request: Request, task: TaskRequest, news: asyncio.Queue[LiveUpdate | None]
) -> str:
    """Return the task's answer, telling states meanwhile; raise when it ends without one."""
    told, quiet = "", False
    while True:
        result = await _result(bus, str(task.task_id))
        if result is not None:
            return _said(result)
        if quiet:
            await request.respond(status("working"))
        update = await _next(news)
        while update is not None:
            word = _word(update)
            if word and word != told:
                told = word
                await request.respond(status(word))
            update = await _next(news)
        quiet = True


async def _next(news: asyncio.Queue[LiveUpdate | None]) -> LiveUpdate | None:
    """Return the next update; None for the result's coming, or after a quiet while."""
    try:
        async with asyncio.timeout(QUIET_S):
            return await news.get()
    except TimeoutError:
        return None


async def _result(bus: Bus, task_id: str) -> TaskResult | None:
    try:
        last = await last_of(bus, STREAM, agent_result(CREW, task_id))
    except (TimedOut, Unavailable):
        return None
    return decode(last.data, TaskResult) if last is not None else None


def _word(update: LiveUpdate) -> str:
    """Return a state change as one word for the task, or words for a step."""
    if update.kind != "state" or update.state is None:
        return ""
    return f"{update.step_id} {update.state}" if update.step_id else str(update.state)


def _said(result: TaskResult) -> str:
    if result.state is TaskState.DONE:
        return result.answer
    why = f": {result.reason.code}, {result.reason.message}" if result.reason else ""
    raise EndedBadly(f"task {result.task_id} is {result.state}{why}")
