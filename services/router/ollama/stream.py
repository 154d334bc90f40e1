"""Reads one streamed answer line by line, with a deadline that moves with every line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import ClientResponse

from services.router.ollama.errors import from_status
from services.router.ollama.wire import Connection
from shared.errors import Cancelled, EngineFailed, TimedOut

MAX_LINE = 16 << 20
"""Bytes; a longer line is not an answer but a fault."""


class Patience:
    """`first_s` until the first line (a model may load for minutes), `idle_s` between lines.

    While `passing`, the caller is being told a piece: then it is the caller who is slow.
    """

    def __init__(self, first_s: float, idle_s: float) -> None:
        self._first_s = first_s
        self._idle_s = idle_s
        self._begun = False
        self.passing = False
        self._limit: asyncio.Timeout

    @asynccontextmanager
    async def keep(self) -> AsyncIterator[None]:
        """Raise in the body of this block when patience ends: `TimedOut`, or `Cancelled` where it
        was the caller who was slow."""
        self._limit = asyncio.timeout(self._first_s)
        try:
            async with self._limit:
                yield
        except TimeoutError:
            if not self._limit.expired():
                raise
            if self.passing:
                raise Cancelled(f"the caller took nothing for {self._idle_s:g} s") from None
            what = "fell silent" if self._begun else "gave no first token"
            wait = self._idle_s if self._begun else self._first_s
            raise TimedOut(f"Ollama {what} for {wait:g} s") from None

    def line(self) -> None:
        """Start the wait for the next line."""
        self._begun = True
        self._limit.reschedule(asyncio.get_running_loop().time() + self._idle_s)


async def lines(response: ClientResponse | Connection) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the objects of an NDJSON answer; raise for a line that is an error or no JSON."""
    held = b""
    async for block in response.content.iter_any():
        *whole, held = (held + block).split(b"\n")
        for line in whole:
            if line.strip():
                yield _parsed(line)
        if len(held) > MAX_LINE:
            raise EngineFailed("Ollama: a line is longer than 16 MiB")
    if held.strip():
        yield _parsed(held)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(line)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        shown = line[:80].decode(errors="replace")
        raise EngineFailed(f"Ollama sent a line that is not a JSON object: {shown}")
    if "error" in body:
        raise from_status(500, str(body["error"]))
    return body
