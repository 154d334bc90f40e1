"""Model calls over the bus: streamed, repeated while the router is away, taken back on cancel."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import Awaitable, Callable

import anyio
import orjson
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from services.agents.engine import Routers
from shared.bus import Bus, decode, encode
from shared.errors import (
    Busy,
    EngineFailed,
    OutputCut,
    SovereignError,
    TimedOut,
    Unavailable,
)
from shared.events.models import ChatChunk, ChatReply, ChatRequest, ModelCancel
from shared.headers import cloud_event
from shared.ids import ulid
from shared.subjects import MODEL_CANCEL, MODEL_CHAT
from shared.subscriptions import let_go

log = logging.getLogger(__name__)

TRANSIENT = (Unavailable, Busy)
"""Errors that pass by themselves: a router that is being restarted, a full queue."""
FAILURES = (EngineFailed, TimedOut)
"""Errors that the same request may meet each time: whoever asks again has to count."""
LOOK_S = 1.0
"""How often a silent call looks whether its router is still alive."""
GRACE_S = 5.0
"""What a router gets beyond the request's own time-out before the call is given up."""

MOST_CHARS = 1_000_000
"""Characters of one answer: more than the longest `max_tokens` comes to."""
SILENT_LOOKS = 2
"""Looks without a sign of a call that was sent while no router was known, once one is."""

Heard = Callable[[str], None]
Still = Callable[[], Awaitable[None]]


def _unheard(piece: str) -> None:
    """Listen to nothing."""


async def _still_wanted() -> None:
    """Want the answer whatever happens."""


class _Unheard(Unavailable):
    """The call may have reached nobody."""


class _Bounded:
    """Hears pieces up to `MOST_CHARS`; a model that goes on and on is cut off."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._chars = 0

    def __call__(self, piece: str) -> None:
        self._chars += len(piece)
        if self._chars > MOST_CHARS:
            raise OutputCut(f"the answer has no end: more than {MOST_CHARS} characters")
        self._heard(piece)


class Models:
    """Asks routers. One call at a time for each caller; safe for many callers."""

    def __init__(self, bus: Bus, routers: Routers) -> None:
        self._bus = bus
        self._routers = routers

    async def patiently(
        self,
        request: ChatRequest,
        heard: Heard = _unheard,
        patience_s: float = math.inf,
        still: Still = _still_wanted,
    ) -> ChatReply:
        """Return the reply, trying again for `patience_s` seconds of trouble of a passing kind.

        The caller bounds the whole time. Errors that no waiting can heal are raised at once, and
        so is what `still` raises: it is awaited before each further try, which costs money.
        """
        tries = 0
        trouble = 0.0
        while True:
            try:
                if tries:
                    await still()
                return await self.once(request, heard)
            except TRANSIENT as error:
                tries += 1
                pause = error.retry_after_s or min(0.1 * 2**tries, 2.0)
                trouble += pause
                if trouble > patience_s:
                    raise
                log.info("model call of %s: %s; again in %.1f s", request.agent, error, pause)
                await asyncio.sleep(random.uniform(0.8, 1.2) * pause)

    async def once(self, request: ChatRequest, heard: Heard) -> ChatReply:
        """Ask one time. The router is told to stop a call that nobody will listen to any more."""
        asked = request.model_copy(update={"request_id": ulid(), "stream": True})
        try:
            return await self._exchange(asked, heard)
        except (asyncio.CancelledError, _Unheard, TimedOut, OutputCut):
            with anyio.CancelScope(shield=True), contextlib.suppress(NatsError):
                await self._bus.emit(MODEL_CANCEL, ModelCancel(request_id=str(asked.request_id)))
                await self._bus.nc.flush(timeout=1)
            raise

    async def _exchange(self, request: ChatRequest, heard: Heard) -> ChatReply:
        inbox = self._bus.nc.new_inbox()
        replies = await self._bus.nc.subscribe(inbox)
        headers = cloud_event("ChatRequest", self._bus.source)
        try:
            await self._bus.nc.publish(MODEL_CHAT, encode(request), inbox, headers=headers)
            return await self._listen(request, replies, heard)
        except NatsError as error:
            raise Unavailable(f"{MODEL_CHAT}: {error or type(error).__name__}") from error
        finally:
            await let_go(replies)

    async def _listen(self, request: ChatRequest, replies: Subscription, heard: Heard) -> ChatReply:
        heard_all = _Bounded(heard)
        loop = asyncio.get_running_loop()
        end = loop.time() + request.timeout_s + GRACE_S
        boots, connection = self._routers.boots(), self._connection()
        silent = 0
        while True:
            data = await _next(replies)
            silent = silent + 1 if data is None else 0
            if data is not None:
                final = _take(data, heard_all)
                if final is not None:
                    return final
                boots = boots or self._routers.boots()
            elif not boots and self._routers.boots() and silent >= SILENT_LOOKS:
                raise _Unheard("no router was there when the call was sent")
            elif boots and not boots & self._routers.boots():
                raise Unavailable("the router went away during the call")
            elif connection != self._connection():
                raise Unavailable("the connection broke during the call: the answer may be lost")
            if loop.time() >= end:
                raise TimedOut(f"{MODEL_CHAT}: no end of an answer in {request.timeout_s:g} s")

    def _connection(self) -> int:
        """Return a number that is another one after each reconnection."""
        return int(self._bus.nc.stats["reconnects"])


async def _next(replies: Subscription) -> bytes | None:
    """Return the next message's body, or None after `LOOK_S` seconds."""
    try:
        message = await replies.next_msg(timeout=LOOK_S)
    except TimeoutError:
        return None
    if (message.headers or {}).get("Status") == "503":
        raise Unavailable(f"nobody answers on {MODEL_CHAT}")
    return bytes(message.data)


def _take(data: bytes, heard: Heard) -> ChatReply | None:
    """Return the final reply, or None after a chunk; raise what an error envelope says."""
    try:
        kind = orjson.loads(data).get("type")
    except (orjson.JSONDecodeError, AttributeError):
        raise SovereignError(f"{MODEL_CHAT}: the reply is not a JSON object") from None
    if kind != "chunk":
        return decode(data, ChatReply)
    heard(decode(data, ChatChunk).delta)
    return None
