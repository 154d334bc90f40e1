"""Plain HTTP/1.1 to one server, for the one request that every answer needs.

aiohttp costs 2 to 3 times as much for a small request on a connection that is kept; it still does
all that is not hot, and https.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpResponseParser

MUCH = 1 << 20
"""Bytes that wait to be read; the server must pause then."""
IDLE_S = 15.0
"""A connection that was idle for longer is not trusted to be still there."""


class Cut(Exception):
    """The connection ended, or could not be made; `begun` tells whether an answer had begun."""

    def __init__(self, why: object, begun: bool) -> None:
        super().__init__(str(why) or type(why).__name__)
        self.begun = begun


class Connection(asyncio.Protocol):
    """One connection: a request goes out whole, its answer comes in blocks."""

    def __init__(self) -> None:
        self.status = 0
        self.since = 0.0
        self._blocks: deque[bytes] = deque()
        self._waiting = 0
        self._done = True
        self._lost: object = None
        self._news: asyncio.Future[None] | None = None

    @property
    def open(self) -> bool:
        """Whether another request may go out."""
        whole = self._done and not self._blocks
        return whole and self._lost is None and not self._transport.is_closing()

    @property
    def content(self) -> Connection:
        """Return what `lines` reads from."""
        return self

    async def ask(self, head: bytes, body: bytes) -> None:
        """Send a request; return when the status and the headers of its answer are there."""
        self._parser = HttpResponseParser(self)
        self._done = False
        self.status = 0
        self._transport.writelines((head, body))
        while not self.status:
            await self._wait()

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes."""
        while True:
            while self._blocks:
                block = self._blocks.popleft()
                self._waiting -= len(block)
                if self._waiting < MUCH:
                    self._transport.resume_reading()
                yield block
            if self._done:
                return
            await self._wait()

    async def read(self) -> bytes:
        """Return the whole body."""
        return b"".join([block async for block in self.iter_any()])

    def close(self) -> None:
        """Hang up at once: a server that writes notices."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take in what has come."""
        if self._done:
            self._transport.abort()  # nobody asked
            return
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._end(error)
            self._transport.abort()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self._end(exc or "the server hung up")

    def on_headers_complete(self) -> None:
        """Take the status of the answer."""
        self.status = self._parser.get_status_code()

    def on_body(self, block: bytes) -> None:
        """Take a part of the body; pause the server when nobody reads."""
        self._blocks.append(block)
        self._waiting += len(block)
        if self._waiting >= MUCH:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """Note the end of the answer."""
        self._done = True
        self.since = time.monotonic()
        if not self._parser.should_keep_alive():
            self._transport.close()

    async def _wait(self) -> None:
        if self._lost is not None:
            raise Cut(self._lost, bool(self.status))
        self._news = asyncio.get_running_loop().create_future()
        await self._news

    def _end(self, why: object) -> None:
        self._lost = self._lost or why
        self._wake()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


class Wire:
    """The connections to one `http://` address; those that are idle are used again."""

    def __init__(self, url: str, connect_s: float) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or 80
        self._path = parts.path.rstrip("/")
        self._named = parts.netloc.encode("idna" if not parts.netloc.isascii() else "ascii")
        self._connect_s = connect_s
        self._idle: list[Connection] = []

    @staticmethod
    def takes(url: str) -> bool:
        """Tell whether an address is simple enough: no TLS, no name and password."""
        return urlsplit(url).scheme == "http" and "@" not in urlsplit(url).netloc

    @asynccontextmanager
    async def post(self, path: str, body: bytes) -> AsyncIterator[Connection]:
        """Send JSON and yield the answer to read from; leaving it unread hangs up.

        Raises `Cut`. A kept connection that turns out to be gone is replaced by a new one.
        """
        head = (
            b"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
            b"Accept: */*\r\nContent-Length: %d\r\n\r\n"
        ) % ((self._path + path).encode(), self._named, len(body))
        connection = await self._begin(head, body)
        del body  # large ones are not kept while the answer comes
        try:
            yield connection
        finally:
            if connection.open:
                self._idle.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close what is idle."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _begin(self, head: bytes, body: bytes) -> Connection:
        kept = self._kept()
        if kept is not None:
            try:
                return await _asked(kept, head, body)
            except Cut as error:
                if error.begun:
                    raise
        return await _asked(await self._made(), head, body)

    def _kept(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.open and time.monotonic() - connection.since < IDLE_S:
                return connection
            connection.close()
        return None

    async def _made(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_s):
                _, made = await loop.create_connection(Connection, self._host, self._port)
        except (OSError, TimeoutError) as error:
            raise Cut(error, begun=False) from error
        return made


async def _asked(connection: Connection, head: bytes, body: bytes) -> Connection:
    """Return the connection with its answer begun."""
    try:
        await connection.ask(head, body)
    except BaseException:
        connection.close()
        raise
    return connection
