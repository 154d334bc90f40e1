"""The connection to NATS: heals itself, never becomes a deaf zombie, publishes with an ack.

Rules: reconnect for ever with jitter, notice a silent server within 6 s, leave the process when
the connection is closed for good, and repeat a publish with the same id until it is acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import nats
import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError, NoRespondersError, NoServersError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import PubAck
from nats.js.errors import APIError, NoStreamResponseError
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.errors import Conflict, InvalidInput, TimedOut, Unavailable, from_envelope
from shared.headers import EXPECTED_SUBJECT_SEQ, MSG_ID, cloud_event
from shared.load import leaning
from shared.settings import Settings

log = logging.getLogger(__name__)

Reply = TypeVar("Reply", bound=BaseModel)
WRONG_LAST = (10070, 10071, 10164)
"""Server codes for a fenced append that came too late."""
ENVELOPE = (b'{"error":{', b'{"error": {')
"""How every error envelope begins (`rpc.refuse` writes it)."""

SOON_S = 5.0
"""Longest wait of a program that would rather fail than wait for a server."""

PATTERNS = {
    r"^[A-Z]{3}$": "must be three capital letters like EUR",
    r"^[A-Za-z0-9_-]{1,64}$": "must be 1 to 64 letters, digits, `_` or `-`",
}
"""What the patterns of the contract mean."""


async def _nothing() -> None:
    """Do nothing when a connection is closed on purpose."""


class Bus:
    """One connection. Use `connect` or, in programs that may fail fast, `open_bus`."""

    def __init__(self, client: Client, source: str) -> None:
        self.nc = client
        self.js: JetStreamContext = client.jetstream(timeout=5.0)
        self.source = source

    @property
    def inbox_prefix(self) -> bytes:
        """Where this connection is answered."""
        return f"{self.nc.new_inbox().rpartition('.')[0]}.".encode()

    @classmethod
    async def connect(
        cls, settings: Settings, name: str, closed: Callable[[], Awaitable[None]] = _nothing
    ) -> Self:
        """Connect, waiting for the server as long as it takes; say so in the log."""
        bus = cls.idle(settings, name)
        await bus.join(settings, name, closed)
        return bus

    @classmethod
    def idle(cls, settings: Settings, name: str) -> Self:
        """Return a bus that is not connected yet; `join` connects it."""
        return cls(Client(), f"/{settings.host}/{name}")

    async def join(
        self, settings: Settings, name: str, closed: Callable[[], Awaitable[None]] = _nothing
    ) -> None:
        """Connect, waiting for the server as long as it takes; say so in the log."""
        options = connect_options(settings, name)
        await wait_for_server(settings.nats_url)
        await self.nc.connect(**options, closed_cb=closed)

    async def emit(self, subject: str, body: BaseModel) -> None:
        """Tell once (core NATS): fine for beats and telemetry, wrong for anything that counts."""
        headers = cloud_event(type(body).__name__, self.source)
        await self.nc.publish(subject, encode(body), headers=headers)

    async def publish(
        self,
        subject: str,
        body: BaseModel,
        msg_id: str,
        *,
        expected_seq: int | None = None,
        within_s: float = 30.0,
        headers: dict[str, str] | None = None,
    ) -> PubAck:
        """Store in the stream of `subject` and return its ack.

        A time-out means unknown, so it is tried again with the same `msg_id` for `within_s`
        seconds, then `TimedOut`. With `expected_seq`, the last sequence of this very subject
        must still be that one, else `Conflict`.
        """
        given = cloud_event(type(body).__name__, self.source, msg_id) | {MSG_ID: msg_id}
        if expected_seq is not None:
            given[EXPECTED_SUBJECT_SEQ] = str(expected_seq)
        payload = encode(body)
        loop = asyncio.get_running_loop()
        end = loop.time() + within_s
        while True:
            try:
                with leaning():
                    return await self.js.publish(subject, payload, headers=given | (headers or {}))
            except (
                NatsTimeoutError,
                NoStreamResponseError,
                NoRespondersError,
                json.JSONDecodeError,  # a subscriber of the subject answered before the stream did
            ) as error:
                if loop.time() >= end:
                    raise TimedOut(f"{subject}: no acknowledgement in {within_s:g} s") from error
                await asyncio.sleep(random.uniform(0.1, 0.5))
            except MaxPayloadError as error:
                raise InvalidInput(f"{subject}: {len(payload)} bytes are too many") from error
            except APIError as error:
                raise _publish_error(subject, error) from error

    async def request(
        self, subject: str, body: BaseModel, reply: type[Reply], timeout_s: float = 5.0
    ) -> Reply:
        """Ask and return the typed reply; an error envelope is raised as its own type."""
        headers = cloud_event(type(body).__name__, self.source)
        try:
            with leaning():
                answer = await self.nc.request(subject, encode(body), timeout_s, headers=headers)
        except NoRespondersError as error:
            raise Unavailable(f"nobody answers on {subject}") from error
        except NatsTimeoutError as error:
            raise TimedOut(f"{subject}: no answer in {timeout_s:g} s") from error
        except MaxPayloadError as error:
            raise InvalidInput(f"{subject}: the request is too large") from error
        return decode(answer.data, reply)

    async def close(self) -> None:
        """Send what is buffered and close; never raises for a server that is gone."""
        if not self.nc.options:  # it was never joined
            return
        self.nc._disconnected_cb = None  # leaving is not a loss that anyone should read about
        try:
            await asyncio.wait_for(self.nc.drain(), 5.0)
        except (NatsError, TimeoutError, OSError):
            with suppress(NatsError, TimeoutError, OSError):
                await self.nc.close()


def encode(body: BaseModel) -> bytes:
    """Return the JSON bytes of a body."""
    return body.model_dump_json().encode()


def decode(data: bytes, kind: type[Reply]) -> Reply:
    """Return the typed body; raise the typed error of an envelope, or `InvalidInput`.

    The envelope is looked for first: a reply whose fields all have defaults would accept it.
    """
    if data.startswith(ENVELOPE):
        raise from_envelope(orjson.loads(data))
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        raise invalid(error) from None


def invalid(error: ValidationError) -> InvalidInput:
    """Return one clear line for a body that does not fit, naming its first wrong field."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    return InvalidInput(f"{field}: {_plainly(first)}"[:500], field=field)


def _plainly(detail: ErrorDetails) -> str:
    """Return what is wrong in words for people; the validator's own where they are clear."""
    kind, limits = detail["type"], detail.get("ctx", {})
    if kind in ("literal_error", "enum"):
        return f"must be one of {limits['expected'].replace(' or ', ', ')}"
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(limits["pattern"]) or f"must match {limits['pattern']}"
    if kind == "string_too_short":
        least = limits["min_length"]
        return "must not be empty" if least == 1 else f"needs at least {least} characters"
    if kind == "string_too_long":
        return f"is longer than {limits['max_length']} characters"
    said = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return " ".join(said.replace("should be", "must be").split())


def _publish_error(subject: str, error: APIError) -> Conflict | InvalidInput | Unavailable:
    if error.err_code in WRONG_LAST:
        return Conflict(f"{subject}: somebody wrote first")
    if error.code == 400:
        return InvalidInput(f"{subject}: {error.description}")
    return Unavailable(f"{subject}: {error.description}")


def connect_options(settings: Settings, name: str) -> dict[str, Any]:
    """Return the options that every connection of ours has."""
    options: dict[str, Any] = {
        "servers": [url.strip() for url in settings.nats_url.split(",")],
        "name": name,
        "inbox_prefix": f"_INBOX.{_user(settings, name)}",
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": random.uniform(0.1, 0.5),
        "connect_timeout": 2,
        "ping_interval": 2,
        "max_outstanding_pings": 2,
        "drain_timeout": 5,
        "error_cb": _log_error,
        "disconnected_cb": _log_disconnected,
        "reconnected_cb": _log_reconnected,
    }
    key = settings.nats.nkey_file or _owner_key(settings)
    if key is not None:
        options["nkeys_seed"] = str(key)
    return options


def _user(settings: Settings, name: str) -> str:
    """Return whose inboxes this connection uses; those of users with a key are private."""
    owner = settings.nats.nkey_file is None and _owner_key(settings) is not None
    return "owner" if owner else name.split(".")[0]


def _owner_key(settings: Settings) -> Path | None:
    """Return the key of this host's owner if whoever runs this may read it."""
    path = settings.data_dir / "keys" / "owner.nk"
    return path if settings.nats.url is None and os.access(path, os.R_OK) else None


async def _log_error(error: Exception) -> None:
    log.warning("bus: %s", error or type(error).__name__)


async def _log_disconnected() -> None:
    log.warning("bus: connection lost, trying again")


async def _log_reconnected() -> None:
    log.warning("bus: connection is back")


async def wait_for_server(url: str) -> None:
    """Return when any server of the comma-separated `url` accepts a connection."""
    told = False
    while not await reachable(url):
        if not told:
            log.warning("waiting for NATS at %s", url)
            told = True
        await asyncio.sleep(0.2)


async def reachable(url: str, timeout_s: float = 1.0) -> bool:
    """Tell whether any server of the comma-separated `url` accepts a TCP connection."""
    for one in url.split(","):
        parts = urlsplit(one.strip() if "://" in one else f"nats://{one.strip()}")
        try:
            async with asyncio.timeout(timeout_s):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port or 4222)
        except (OSError, TimeoutError, ValueError):
            continue
        writer.close()
        return True
    return False


@asynccontextmanager
async def open_bus(
    settings: Settings, name: str, heed: Callable[[Exception], None] | None = None
) -> AsyncIterator[Bus]:
    """Yield a bus for a short program; raise `Unavailable` at once when no server answers.

    A connection that is lost later is made again, for ever. `heed` is told what the server
    complains of meanwhile, for example rights that are missing.
    """
    if not await reachable(settings.nats_url):
        raise Unavailable(
            f"no NATS server answers at {settings.nats_url}: start one with `sovereign up`,"
            " or set SOVEREIGN_NATS__URL",
            field="SOVEREIGN_NATS__URL",
        )
    bus = Bus(await _connect_soon(settings, name, heed), f"/{settings.host}/{name}")
    try:
        yield bus
    finally:
        await bus.close()


async def _connect_soon(
    settings: Settings, name: str, heed: Callable[[Exception], None] | None
) -> Client:
    """Connect within `SOON_S` or raise what the server said; later losses are healed as always."""
    said: list[Exception] = []

    async def listen(error: Exception) -> None:
        said.append(error)
        if heed is not None:
            heed(error)

    try:
        async with asyncio.timeout(SOON_S):
            return await nats.connect(**connect_options(settings, name) | {"error_cb": listen})
    except (NoServersError, NatsError, OSError, TimeoutError) as error:
        cause = said[-1] if said else error
        raise Unavailable(
            f"{settings.nats_url}: {cause or f'no answer in {SOON_S:g} s'}",
            field="SOVEREIGN_NATS__URL",
        ) from error
