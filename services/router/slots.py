"""Places at the engine, and an orderly queue in front of them: Ollama itself queues for ever."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from shared.errors import Busy

PATIENCE_S = {"urgent": 0.0, "high": 60.0, "normal": 300.0, "low": 1800.0}
"""How much later than an urgent one a request may have come and still go first.

The queue is ordered by arrival + patience, so urgent ones overtake and low ones never starve.
"""
SMOOTHING = 0.2
Waiter = tuple[float, int, "asyncio.Future[None]"]


class Queue(Protocol):
    """Holds requests back until there is room for them."""

    def info(self) -> dict[str, int]:
        """Return what every beat says."""
        ...

    def hold(self, priority: str) -> AbstractAsyncContextManager[float]:
        """Hold a place for the body; yields the seconds waited, or raises `Busy`."""
        ...


class Open:
    """No queue: the engine has its own, which tells `info`."""

    def __init__(self, info: Callable[[], dict[str, int]]) -> None:
        self.info = info

    @asynccontextmanager
    async def hold(self, priority: str) -> AsyncIterator[float]:
        """Go on at once."""
        yield 0.0


class Slots:
    """`count` requests run at a time, at most `queue` wait."""

    def __init__(self, count: int, queue: int) -> None:
        self.count = count
        self.queue = queue
        self.busy = 0
        self.typical_s = 1.0
        self._waiting: list[Waiter] = []
        self._order = itertools.count()

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return sum(not waiter[2].done() for waiter in self._waiting)

    def info(self) -> dict[str, int]:
        """Return what every beat says."""
        return {"busy": self.busy, "count": self.count, "waiting": self.waiting}

    @asynccontextmanager
    async def hold(self, priority: str) -> AsyncIterator[float]:
        """Hold a place; yields the seconds waited. Raises `Busy` when the queue is full."""
        began = time.monotonic()
        await self._enter(priority, began)
        entered = time.monotonic()
        try:
            yield entered - began
        finally:
            self._leave(time.monotonic() - entered)

    async def _enter(self, priority: str, began: float) -> None:
        if self.busy < self.count and not self.waiting:
            self.busy += 1
            return
        if self.waiting >= self.queue:
            raise self._full()
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (began + PATIENCE_S[priority], next(self._order), place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._hand_over()
            raise

    def _leave(self, seconds: float) -> None:
        self.typical_s += SMOOTHING * (seconds - self.typical_s)
        self._hand_over()

    def _hand_over(self) -> None:
        """Give the freed place to the first in the queue that still waits."""
        while self._waiting:
            place = heapq.heappop(self._waiting)[2]
            if not place.done():
                place.set_result(None)
                return
        self.busy -= 1

    def _full(self) -> Busy:
        wait_s = max(1.0, self.typical_s * (self.waiting + 1) / self.count)
        line = f"{self.busy} model requests run and {self.waiting} wait: the queue is full"
        return Busy(line, retry_after_s=round(wait_s, 1))
