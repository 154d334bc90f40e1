"""Copies of streams through the server's own snapshot API, and back: data, state, consumers.

`$JS.API.STREAM.SNAPSHOT.<stream>` sends the stream as compressed chunks, each to be acknowledged;
`$JS.API.STREAM.RESTORE.<stream>` takes them again. Both keep sequences, times and consumers.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import orjson
from nats.errors import TimeoutError as NatsTimeoutError

from shared.bus import Bus
from shared.errors import Conflict, NotFound, SovereignError, TimedOut, Unavailable
from shared.subscriptions import let_go

CHUNK = 128 * 1024
WAIT_S = 30.0
"""Longest silence of the server between two chunks."""

NO_STREAM = 404


@dataclass(frozen=True)
class Snapshot:
    """One stream on file: what the server said of it, and the digest of its bytes."""

    stream: str
    config: dict[str, Any]
    state: dict[str, Any]
    sha256: str
    bytes: int

    @property
    def messages(self) -> int:
        """How many messages it held."""
        return int(self.state.get("messages", 0))


async def save(bus: Bus, stream: str, path: Path) -> Snapshot:
    """Write the stream to `path`; raise `NotFound` when there is none, `Unavailable`, `TimedOut`.

    The server checks its own blocks first (`jsck`).
    """
    inbox = bus.nc.new_inbox()
    chunks = await bus.nc.subscribe(inbox, pending_msgs_limit=-1, pending_bytes_limit=-1)
    digest, size = hashlib.sha256(), 0
    try:
        question = {"deliver_subject": inbox, "chunk_size": CHUNK, "jsck": True}
        said = await _ask(bus, f"$JS.API.STREAM.SNAPSHOT.{stream}", question)
        async with await anyio.open_file(path, "wb") as file:
            async for chunk in _chunks(chunks, stream):
                digest.update(chunk)
                size += len(chunk)
                await file.write(chunk)
    finally:
        await let_go(chunks)
    return Snapshot(stream, said["config"], said["state"], digest.hexdigest(), size)


async def load(bus: Bus, snapshot: Snapshot, path: Path) -> dict[str, Any]:
    """Make the stream anew from `path`; return its state as the server tells it.

    Raises `Conflict` when the stream exists or its bytes are not those of the snapshot.
    """
    if await _digest(path) != snapshot.sha256:
        raise Conflict(f"{snapshot.stream}: the bytes are not those that were backed up")
    question = {"config": snapshot.config, "state": snapshot.state}
    said = await _ask(bus, f"$JS.API.STREAM.RESTORE.{snapshot.stream}", question)
    subject = str(said["deliver_subject"])
    async with await anyio.open_file(path, "rb") as file:
        while chunk := await file.read(CHUNK):
            await _send(bus, subject, chunk)
    answer = await _send(bus, subject, b"")
    state: dict[str, Any] = answer.get("state") or {}
    return state


async def exists(bus: Bus, stream: str) -> bool:
    """Tell whether the server has the stream."""
    try:
        await _ask(bus, f"$JS.API.STREAM.INFO.{stream}", {})
    except NotFound:
        return False
    return True


async def _chunks(replies: Any, stream: str) -> AsyncIterator[bytes]:
    """Yield the chunks, acknowledging each, until the server says that it was the last."""
    while True:
        try:
            message = await replies.next_msg(timeout=WAIT_S)
        except (TimeoutError, asyncio.TimeoutError) as error:  # noqa: UP041 - nats has its own
            raise TimedOut(f"{stream}: the server sent nothing for {WAIT_S:g} s") from error
        if not message.data:
            status = (message.headers or {}).get("Status", "204")
            if status.startswith(("2", "1")):
                return
            about = (message.headers or {}).get("Description", "")
            raise Unavailable(f"{stream}: the snapshot was broken off: {status} {about}".strip())
        if message.reply:
            await message.respond(b"")
        yield message.data


async def _ask(bus: Bus, subject: str, body: dict[str, Any]) -> dict[str, Any]:
    return _answer(await _request(bus, subject, orjson.dumps(body)), subject)


async def _send(bus: Bus, subject: str, chunk: bytes) -> dict[str, Any]:
    """Send one chunk; the answer is empty but for the last one and for errors."""
    data = await _request(bus, subject, chunk)
    return _answer(data, subject) if data.startswith(b"{") else {}


async def _request(bus: Bus, subject: str, data: bytes) -> bytes:
    try:
        return bytes((await bus.nc.request(subject, data, timeout=WAIT_S)).data)
    except NatsTimeoutError as error:
        raise TimedOut(f"{subject}: no answer in {WAIT_S:g} s") from error


def _answer(data: bytes, subject: str) -> dict[str, Any]:
    """Return the server's answer; raise what its error means."""
    said: dict[str, Any] = orjson.loads(data)
    error = said.get("error")
    if not error:
        return said
    line = f"{subject.rpartition('.')[2]}: {error.get('description', 'refused')}"
    if error.get("code") == NO_STREAM:
        raise NotFound(line)
    kind: type[SovereignError] = Unavailable if int(error.get("code", 0)) >= 500 else Conflict
    raise kind(line)


async def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    async with await anyio.open_file(path, "rb") as file:
        while chunk := await file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
