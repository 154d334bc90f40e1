"""One HTTP session to one Ollama server, opened on first use."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from services.router.ollama.errors import from_status
from services.router.ollama.wire import Connection, Cut, Wire
from shared.errors import EngineFailed, SovereignError, TimedOut, Unavailable

CONNECT_S = 2.0
KEEPALIVE_S = 15.0
LONG = 1 << 20
SILENT = {403: "it refuses the name that it was asked by: ask it by its address"}
"""What a refusal without a word means: on loopback Ollama hears to names of this host alone."""


class OllamaClient:
    """Speaks JSON to `url`; a server that cannot be reached is `Unavailable`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session: aiohttp.ClientSession | None = None
        self._wire = Wire(url, CONNECT_S) if Wire.takes(url) else None

    async def get(self, path: str, timeout_s: float) -> dict[str, Any]:
        """Return the object at `path`."""
        async with self._ask("GET", path, None, timeout_s) as response:
            return _object(await response.read())

    async def post(self, path: str, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Return the object that answers `body`."""
        async with self._ask("POST", path, body, timeout_s) as response:
            return _object(await response.read())

    @asynccontextmanager
    async def stream(
        self, path: str, body: dict[str, Any]
    ) -> AsyncIterator[aiohttp.ClientResponse | Connection]:
        """Yield the answer to read from, without a time limit; leaving closes the connection."""
        if self._wire is None:
            async with self._ask("POST", path, body, None) as response:
                yield response
            return
        begun = False
        try:
            async with self._wire.post(path, orjson.dumps(body)) as answer:
                begun = True
                await _check(answer)
                yield answer
        except Cut as error:
            raise self._lost(error, begun or error.begun) from error

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
        if self._wire is not None:
            self._wire.close()

    @asynccontextmanager
    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, timeout_s: float | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        data = None if body is None else _sent(orjson.dumps(body))
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S)
        response: aiohttp.ClientResponse | None = None
        try:
            async with self._open().request(
                method, self.url + path, data=data, timeout=timeout, allow_redirects=False
            ) as response:
                await _check(response)
                yield response
        except aiohttp.ClientError as error:
            raise self._lost(error, response is not None) from error
        except TimeoutError as error:
            raise TimedOut(f"Ollama: no answer to {path} in {timeout_s} s") from error

    def _lost(self, error: Exception, begun: bool) -> SovereignError:
        """Return `Unavailable` when the answer had not begun: also for a pooled connection that
        the server had closed, which says nothing about the server."""
        if begun:
            return EngineFailed(f"Ollama: the connection was cut ({error})")
        return Unavailable(f"Ollama does not answer at {self.url}")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_S)
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers={"Content-Type": "application/json"},
                skip_auto_headers=("User-Agent",),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _sent(raw: bytes) -> bytes | io.BytesIO:
    """Return what aiohttp sends: a long body piece by piece, so that others get their turn."""
    return raw if len(raw) < LONG else io.BytesIO(raw)


async def _check(response: aiohttp.ClientResponse | Connection) -> None:
    """Raise the typed error of a refusal; an answer that is no JSON tells its beginning."""
    if response.status == 200:
        return
    raw = await response.read()
    try:
        message = str(orjson.loads(raw)["error"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        message = raw[:200].decode(errors="replace") or SILENT.get(response.status, "no words")
    raise from_status(response.status, f"{message} (HTTP {response.status})")


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise EngineFailed("Ollama answered something that is not a JSON object")
    return body
