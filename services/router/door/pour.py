"""Pours the events of a stream out: those that come in one breath go out in one packet."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from services.router.door.call import Call

ROOM = 1 << 18
"""Bytes that may wait for a slow reader before the engine has to."""


class Pour:
    """Sends what is put in from a task of its own; leaving sends the rest."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._held = bytearray()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._ending = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending = True
        self._news.set()
        await self._task

    async def put(self, events: bytes) -> None:
        """Take events; wait only when the reader is far behind."""
        self._held += events
        self._news.set()
        while len(self._held) > ROOM:
            self._room.clear()
            await self._room.wait()

    async def _run(self) -> None:
        while self._held or not self._ending:
            await self._news.wait()
            self._news.clear()
            if self._held:
                events, self._held = bytes(self._held), bytearray()
                self._room.set()
                await self._call.tell(events)
