"""What is written in one turn leaves in one packet."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.router.door.packet import Gathering


@asynccontextmanager
async def line() -> AsyncIterator[tuple[Gathering, socket.socket]]:
    """Yield what is written to, and the other end."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    try:
        yield Gathering(transport), theirs
    finally:
        transport.abort()
        theirs.close()


async def read(end: socket.socket) -> bytes:
    async with asyncio.timeout(30):
        return await asyncio.get_running_loop().sock_recv(end, 1000)


async def test_head_and_body_are_sent_together() -> None:
    async with line() as (gathering, end):
        gathering.write(b"head")
        assert gathering.get_extra_info("socket").fileno() > 0
        gathering.write(b"body")
        assert await read(end) == b"headbody"
        gathering.write(b"more")
        assert await read(end) == b"more"


async def test_what_was_written_before_the_close_arrives() -> None:
    async with line() as (gathering, end):
        gathering.write(b"last words")
        gathering.close()
        assert gathering.is_closing()
        assert await read(end) == b"last words"
        assert await read(end) == b""


async def test_an_abort_sends_nothing_more() -> None:
    async with line() as (gathering, end):
        gathering.write(b"half")
        gathering.abort()
        assert await read(end) == b""
