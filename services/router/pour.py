"""Pours a stream out: the pieces that come in one breath go out in one packet, or one message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

ROOM = 1 << 18
"""Bytes that may wait for a slow reader before the engine has to."""


class Pour:
    """Hands what is put in to `send`: the first piece at once, the others from a task of its own.

    Leaving sends the rest; one who is cancelled leaves at once, however slow the reader is.
    """

    def __init__(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._send = send
        self._held = bytearray()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._begun = False
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
        if isinstance(error, asyncio.CancelledError):
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            return
        self._ending = True
        self._news.set()
        await self._task

    async def put(self, piece: bytes) -> None:
        """Take a piece; wait only when the reader is far behind, raise when it cannot be sent."""
        if not self._begun:
            self._begun = True
            await self._send(piece)
            await asyncio.sleep(0)  # the loop gets its turn to write: a first word is waited for
            return
        self._held += piece
        self._news.set()
        while len(self._held) > ROOM and not self._task.done():
            self._room.clear()
            await self._room.wait()
        if self._task.done():
            await self._task

    async def _run(self) -> None:
        try:
            while self._held or not self._ending:
                await self._news.wait()
                self._news.clear()
                await self._pass_on()
        finally:
            self._room.set()

    async def _pass_on(self) -> None:
        if self._held:
            pieces, self._held = bytes(self._held), bytearray()
            self._room.set()
            await self._send(pieces)
