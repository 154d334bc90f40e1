"""Taking messages from a durable: one at a time a loop, kept alive while it is worked on.

Outcomes: the handler returns -> acked (twice, so it is sure); it raises `InvalidInput` -> DEAD
with the reason; it raises anything else -> given back with a growing delay, and at the last
delivery DEAD. On shutdown what is held is given back at once.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from shared.bootstrap import ensure_consumer
from shared.bus import Bus
from shared.errors import InvalidInput, SovereignError
from shared.events.base import Reason
from shared.events.dead import DeadLetter
from shared.streams import Consumer
from shared.subjects import dead
from shared.subscriptions import let_go

log = logging.getLogger(__name__)

FETCH_S = 5.0
"""Longest wait of one fetch: the server forgets a pull when it restarts (nats.py #504)."""

Handler = Callable[[Msg], Awaitable[None]]


class Worker:
    """One loop of `fetch(1)` on a durable that exists."""

    def __init__(self, bus: Bus, consumer: Consumer, handler: Handler) -> None:
        self._bus = bus
        self._consumer = consumer
        self._handler = handler

    async def run(self) -> None:
        """Work until cancelled."""
        pull = await bind(self._bus, self._consumer)
        try:
            while True:
                began = time.monotonic()
                message = await fetch(pull, FETCH_S)
                if message is not None:
                    await self.work(message)
                elif time.monotonic() - began < FETCH_S / 2:
                    await restore(self._bus, self._consumer)
        finally:
            await let_go(pull)

    async def work(self, message: Msg) -> None:
        """Handle one message and settle it."""
        try:
            async with kept(message, self._consumer.ack_wait_s):
                await self._handler(message)
        except asyncio.CancelledError:
            with anyio.CancelScope(shield=True), anyio.move_on_after(1.0):
                await settle(message.nak())
            raise
        except InvalidInput as error:
            await bury(self._bus, message, self._consumer, error)
        except Exception as error:
            await self._again(message, error)
        else:
            await settle(message.ack_sync())

    async def _again(self, message: Msg, error: Exception) -> None:
        deliveries = message.metadata.num_delivered
        if isinstance(error, (SovereignError, NatsError, TimeoutError)):
            line = str(error) or type(error).__name__
            log.warning("%s: attempt %d: %s", message.subject, deliveries, line)
        else:
            log.exception("%s: attempt %d failed", message.subject, deliveries)
        if deliveries >= self._consumer.max_deliver:
            await bury(self._bus, message, self._consumer, error)
        else:
            await settle(message.nak(delay=min(2.0 ** (deliveries - 2), 30.0)))


async def bind(bus: Bus, consumer: Consumer) -> JetStreamContext.PullSubscription:
    """Return a subscription on a durable that exists."""
    return await bus.js.pull_subscribe_bind(
        consumer=consumer.name,
        stream=consumer.stream,
        inbox_prefix=bus.inbox_prefix,
    )


async def restore(bus: Bus, consumer: Consumer) -> bool:
    """Declare the durable again if somebody deleted it; true when it had vanished."""
    try:
        await bus.js.consumer_info(consumer.stream, consumer.name)
    except NotFoundError:
        log.error("consumer %s of %s had vanished", consumer.name, consumer.stream)
        await ensure_consumer(bus, consumer)
        return True
    except (NatsError, APIError, TimeoutError) as error:
        log.debug("consumer %s: %s", consumer.name, error)
    return False


async def fetch(pull: JetStreamContext.PullSubscription, wait_s: float) -> Msg | None:
    """Return the next message, or None after `wait_s` seconds or while the server is away."""
    try:
        return (await pull.fetch(1, timeout=wait_s))[0]
    except TimeoutError:
        return None
    except (NatsError, APIError) as error:
        log.debug("fetch: %s", error)
        await asyncio.sleep(0.2)
        return None


@asynccontextmanager
async def kept(message: Msg, ack_wait_s: float) -> AsyncIterator[None]:
    """Tell the server every third of `ack_wait_s` that the message is being worked on."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(ack_wait_s / 3)
            await settle(message.in_progress())

    teller = asyncio.create_task(tell())
    try:
        yield
    finally:
        teller.cancel()
        await asyncio.wait([teller])


async def settle(act: Awaitable[object]) -> bool:
    """Await an ack, nak or term; False when the server is away, since it will redeliver."""
    try:
        await act
    except (NatsError, APIError, TimeoutError) as error:
        log.warning("not settled, will be redelivered: %s", error or type(error).__name__)
        return False
    return True


async def bury(bus: Bus, message: Msg, consumer: Consumer, error: Exception) -> None:
    """Put the message into DEAD with its reason, then take it out of its queue."""
    meta = message.metadata
    await bus.publish(
        dead(meta.stream),
        letter(message, consumer.name, error, bus.source),
        f"dead.{meta.stream}.{meta.sequence.stream}",
    )
    await settle(message.term())


def letter(message: Msg, consumer: str, error: Exception, by: str) -> DeadLetter:
    """Return the dead letter of a message."""
    text, encoding = as_text(message.data)
    return DeadLetter(
        stream=message.metadata.stream,
        subject=message.subject,
        reason=reason_of(error),
        payload=text,
        payload_encoding=encoding,
        seq=message.metadata.sequence.stream,
        stored_at=message.metadata.timestamp,
        deliveries=message.metadata.num_delivered,
        consumer=consumer,
        by=by,
    )


def reason_of(error: Exception) -> Reason:
    """Return the typed reason of an error."""
    if isinstance(error, SovereignError):
        return Reason(code=error.code, message=error.message, field=error.field)
    return Reason(code="internal", message=f"{type(error).__name__}: {error}"[:500])


def as_text(data: bytes) -> tuple[str, str]:
    """Return the payload as text and its encoding: utf-8, or base64 for anything else."""
    try:
        return data[:500_000].decode(), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(data[:500_000]).decode(), "base64"
