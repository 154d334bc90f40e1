"""Waiting for final results: the live subject first, the stream behind it as a safety net."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import anyio
from nats.aio.msg import Msg

from services.dashboard.desk import Desk
from shared.bus import decode
from shared.errors import SovereignError
from shared.events import TaskResult
from shared.subjects import agent_result
from shared.subscriptions import subscribed

LOOK_AGAIN_S = 5.0


class Results:
    """The results that have come for a set of tasks."""

    def __init__(self, desk: Desk, task_ids: Iterable[str]) -> None:
        self._desk = desk
        self._open = set(task_ids)
        self._news = anyio.Event()
        self.found: dict[str, TaskResult] = {}

    async def heard(self, message: Msg) -> None:
        """Take one message of the live subject; what cannot be read is looked up later."""
        try:
            self._take(decode(message.data, TaskResult))
        except SovereignError:
            return

    async def look(self) -> None:
        """Look all missing results up in the stream."""
        for task_id in list(self._open):
            result = await self._desk.result(task_id)
            if result is not None:
                self._take(result)

    async def all(self, within_s: float) -> None:
        """Return when all have come or `within_s` seconds are over."""
        with anyio.move_on_after(within_s):
            await self.look()
            while self._open:
                self._news = anyio.Event()
                with anyio.move_on_after(LOOK_AGAIN_S) as patience:
                    await self._news.wait()
                if patience.cancelled_caught:
                    await self._look_calmly()

    async def _look_calmly(self) -> None:
        """Look again; a bus that is away for a moment ends no wait."""
        try:
            await self.look()
        except SovereignError:
            return

    def _take(self, result: TaskResult) -> None:
        if result.task_id in self._open:
            self._open.discard(result.task_id)
            self.found[result.task_id] = result
            self._news.set()


@asynccontextmanager
async def listening(desk: Desk, task_ids: Iterable[str]) -> AsyncIterator[Results]:
    """Listen for the results of these tasks from now on, so that none is missed."""
    ids = list(task_ids)
    results = Results(desk, ids)
    wanted = [(agent_result("crew", task_id), results.heard) for task_id in ids]
    async with subscribed(desk.bus.nc, wanted):
        yield results
