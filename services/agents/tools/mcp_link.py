"""One server of tools in the Model Context Protocol: its connection, opened on need, made anew."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from services.agents.tools.tool import ToolFailed
from shared.errors import SovereignError, TimedOut, Unavailable
from shared.settings import McpServer

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult, Tool

log = logging.getLogger(__name__)

MOST_PAGES = 5
FRESH_S = 5.0
"""Seconds in which a connection that has answered is taken for alive."""


class McpLink:
    """The connection to one server; `run` owns it, any task may ask.

    It is opened with the first question and closed with `run`; after a loss the next question
    opens it again. Every trouble is a typed error that names the server.
    """

    def __init__(self, server: McpServer) -> None:
        self.server = server
        self._wanted = asyncio.Event()
        self._lost = asyncio.Event()
        self._opening: asyncio.Future[Client] | None = None
        self._heard = 0.0

    async def run(self) -> None:
        """Keep the connection for whoever asks, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            opening = self._opening
            if opening is None:
                continue
            try:
                await self._keep(opening)
            except Exception as error:
                log.warning("MCP server %s: %s", self.server.name, _words(error))
                if not opening.done():
                    opening.set_exception(self._away(error))
            finally:
                if self._opening is opening:  # else somebody asks for the next one already
                    self._opening = None
                if not opening.done():
                    opening.cancel()

    async def tools(self) -> list[Tool]:
        """Return what the server offers now; raise `Unavailable` or `TimedOut`."""
        found: list[Tool] = []
        client = await self._client()
        async with _Within(self, self.server.timeout_s):
            cursor = None
            for _ in range(MOST_PAGES):
                page = await client.list_tools(cursor=cursor, cache_mode="refresh")
                found += page.tools
                cursor = page.next_cursor
                if cursor is None:
                    break
        self._heard = time.monotonic()
        return found

    async def call(self, name: str, arguments: dict[str, Any]) -> CallToolResult:
        """Return the server's answer; `ToolFailed` when it said no, else the outcome is unknown.

        A connection that was silent for long is tried first, so that a server that went away
        meanwhile is not taken for one that may have done something.
        """
        if time.monotonic() - self._heard > FRESH_S:
            await self._tried()
        client = await self._client()
        async with _Within(self, self.server.timeout_s):
            result = await client.call_tool(name, arguments)
        self._heard = time.monotonic()
        return result

    async def _tried(self) -> None:
        """Make sure of the connection, once anew; nothing was asked of a tool yet."""
        try:
            await self.tools()
        except SovereignError:
            try:
                await self.tools()
            except SovereignError as error:
                raise ToolFailed(error.message) from error

    async def _client(self) -> Client:
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_future()
            self._opening.add_done_callback(_seen)
            self._wanted.set()
        try:
            async with asyncio.timeout(2 * self.server.timeout_s):
                return await asyncio.shield(self._opening)
        except TimeoutError as error:
            raise TimedOut(f"MCP server {self.server.name}: {_words(error)}") from None

    async def _keep(self, opening: asyncio.Future[Client]) -> None:
        """Hold one connection open until somebody finds it lost."""
        self._lost.clear()
        await _imported()
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self.server.timeout_s):
                client = await stack.enter_async_context(_connection(self.server))
            opening.set_result(client)
            await self._lost.wait()

    def lose(self) -> None:
        """Have the next question open a new connection."""
        self._opening = None
        self._lost.set()

    def _away(self, error: Exception) -> SovereignError:
        return Unavailable(f"MCP server {self.server.name}: {_words(error)}")


class _Within:
    """Bounds one question, and tells every trouble as a typed error."""

    def __init__(self, link: McpLink, seconds: float) -> None:
        self._link = link
        self._limit = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        name = self._link.server.name
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError:
            self._link.lose()
            seconds = self._link.server.timeout_s
            raise TimedOut(f"MCP server {name}: no answer in {seconds:g} s") from None
        if isinstance(error, Exception):
            raise self._typed(error) from error

    def _typed(self, error: Exception) -> SovereignError:
        """Return `ToolFailed` for a plain no of the server; after all else it is asked anew."""
        from mcp import MCPError
        from mcp.types import INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND

        line = f"MCP server {self._link.server.name}: {_words(error)}"
        code = error.code if isinstance(error, MCPError) else None
        if code in (INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND):
            return ToolFailed(line)
        self._link.lose()
        return Unavailable(line)


async def _imported() -> None:
    """Import the SDK beside the loop: that takes more than a second of CPU."""
    try:
        await asyncio.to_thread(import_module, "mcp")
    except ImportError:
        raise Unavailable("the extra is missing: pip install 'sovereign[mcp]'") from None


def _connection(server: McpServer) -> Client:
    """Return a client that is not entered yet; a process gets `PATH` and the like, and `env`."""
    from mcp import Client, StdioServerParameters

    if server.url is not None:
        return Client(server.url)
    first, *more = server.command
    return Client(StdioServerParameters(command=first, args=more, env=server.env))


def _words(error: BaseException) -> str:
    """Return the first real error of a group in one short line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return "it does not open in time"
    if isinstance(error, ValidationError):
        return "it answered what the protocol does not allow"
    return " ".join(str(error).split())[:300] or type(error).__name__


def _seen(opening: asyncio.Future[Any]) -> None:
    """Mark a failure as seen: whoever asked has been told, or has left."""
    if not opening.cancelled():
        opening.exception()
