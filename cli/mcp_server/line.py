"""The bus for tools: connected with the first call, kept for the next ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from mcp.server.mcpserver.exceptions import ToolError

from cli.connection import first_of, no_right
from shared.bus import Bus, open_bus
from shared.errors import SovereignError
from shared.settings import Settings

Result = TypeVar("Result")


class Line:
    """One connection for all calls of a client; use as an async context."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._bus: Bus | None = None
        self._denied: set[asyncio.Future[None]] = set()

    async def __aenter__(self) -> Line:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def run(self, work: Callable[[Bus, Settings], Awaitable[Result]]) -> Result:
        """Return what `work` comes to; its typed errors reach the client as one clear line."""
        denied: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._denied.add(denied)
        try:
            bus = await self._opened()
            return await first_of(asyncio.ensure_future(work(bus, self._settings)), denied)
        except SovereignError as error:
            raise ToolError(f"{error.code}: {error.message}") from error
        finally:
            self._denied.discard(denied)

    async def _opened(self) -> Bus:
        async with self._opening:
            if self._bus is None:
                opening = open_bus(self._settings, "cli", self._heed)
                self._bus = await self._stack.enter_async_context(opening)
            return self._bus

    def _heed(self, error: Exception) -> None:
        """Tell every call in hand what the server denies to this user of the bus."""
        if "permissions violation" not in str(error).lower():
            return
        for denied in self._denied:
            if not denied.done():
                denied.set_exception(no_right(self._settings, error))
