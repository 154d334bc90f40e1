"""Room for large bodies: so many bytes are read and taken apart at a time, the others wait.

What waits is left in the sender's and the kernel's buffers, so that many large requests at once
cost this process the memory of a few.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SMALL = 1 << 20
"""Bytes; smaller bodies never wait."""


class Hall:
    """`most` bytes of large bodies at a time; one that is larger than that comes in alone."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, size: int) -> AsyncIterator[None]:
        """Hold room for `size` bytes during the body, in order of arrival."""
        if size < SMALL:
            yield
            return
        await self._enter(size)
        try:
            yield
        finally:
            self._leave(size)

    async def _enter(self, size: int) -> None:
        if not self._waiting and self._fits(size):
            self._held += size
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave(size)
            else:
                self._waiting.remove((size, place))
                self._call_in()
            raise

    def _leave(self, size: int) -> None:
        self._held -= size
        self._call_in()

    def _call_in(self) -> None:
        """Let in those who wait, the first first, as far as there is room."""
        while self._waiting and self._fits(self._waiting[0][0]):
            size, place = self._waiting.popleft()
            self._held += size
            place.set_result(None)

    def _fits(self, size: int) -> bool:
        return not self._held or self._held + size <= self._most
