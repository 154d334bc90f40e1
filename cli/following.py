"""Everything that happens to one task, as it happens, until its final result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import BaseModel, ValidationError

from cli.views import result_of, view_of, view_subject
from shared.bus import Bus
from shared.errors import TimedOut, Unavailable
from shared.events.tasks import LiveUpdate, TaskResult, TaskView
from shared.runs import present
from shared.subjects import agent_result, task_live

CHECK_S = 2.0
"""Seconds without news after which the stored state is read: news may be lost in a reconnect."""

Change = TaskView | LiveUpdate | TaskResult


class Feed:
    """The changes of one task; subscribed before anything is asked, so that none is missed."""

    def __init__(self, bus: Bus, task_id: str) -> None:
        self._bus = bus
        self._task_id = task_id
        self._news: asyncio.Queue[Change] = asyncio.Queue()

    async def subscribe(self) -> None:
        """Listen to the view, the live updates and the final result of the task."""
        await self._listen(view_subject(self._task_id), TaskView)
        await self._listen(task_live(self._task_id), LiveUpdate)
        await self._listen(agent_result("crew", self._task_id), TaskResult)
        await self._bus.nc.flush()

    async def changes(self) -> AsyncIterator[Change]:
        """Yield what is stored, then each change; the final result is the last one."""
        while True:
            for change in await self._stored():
                yield change
                if isinstance(change, TaskResult):
                    return
            async for change in self._arriving():
                yield change
                if isinstance(change, TaskResult):
                    return

    async def _arriving(self) -> AsyncIterator[Change]:
        """Yield news until none came for a while."""
        while True:
            try:
                yield await asyncio.wait_for(self._news.get(), CHECK_S)
            except TimeoutError:
                return

    async def _stored(self) -> list[Change]:
        """Return what the bus holds; nothing while the connection is being made again."""
        try:
            view = await view_of(self._bus, self._task_id)
            result = await result_of(self._bus, self._task_id)
        except (TimedOut, Unavailable, NatsError):
            return []
        return [change for change in (view, present(view, result)) if change is not None]

    async def _listen(self, subject: str, kind: type[Change]) -> None:
        async def heard(message: Msg) -> None:
            change = _parse(message.data, kind)
            if change is not None:
                self._news.put_nowait(change)

        await self._bus.nc.subscribe(subject, cb=heard)


async def feed_of(bus: Bus, task_id: str) -> Feed:
    """Return a feed that hears everything from now on, until the connection ends."""
    feed = Feed(bus, task_id)
    await feed.subscribe()
    return feed


def _parse(data: bytes, kind: type[Change]) -> Change | None:
    """Return the change; what is empty (a deleted view) or malformed is none."""
    model: type[BaseModel] = kind
    try:
        change = model.model_validate_json(data)
    except ValidationError:
        return None
    return change if isinstance(change, kind) else None
