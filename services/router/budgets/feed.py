"""Every entry of the bucket of budgets in the order in which the server keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from shared.bus import Bus
from shared.errors import Unavailable
from shared.streams import BUDGETS
from shared.subscriptions import let_go

STREAM = f"KV_{BUDGETS.name}"
PREFIX = f"$KV.{BUDGETS.name}."
Take = Callable[[str, bytes], None]
"""Takes what is stored under a key."""


class Feed:
    """The last entry of each key, then each new one. `fail` is told of a gap: nothing comes after.

    Entries come in one order for all routers, so that of two only one is the first.
    """

    def __init__(self, take: Take, fail: Callable[[Exception], None]) -> None:
        self._take = take
        self._fail = fail
        self._count = 0
        self._reached = 0
        self._news = asyncio.Event()

    async def hear(self, message: Msg) -> None:
        """Take one message of the consumer."""
        if (message.headers or {}).get("Status"):
            return
        place = message.metadata.sequence
        if place.consumer != self._count + 1:
            self._fail(Unavailable("an entry was missed"))
            return
        self._take(message.subject.removeprefix(PREFIX), message.data)
        self._count, self._reached = place.consumer, place.stream
        self._news.set()
        self._news = asyncio.Event()

    async def counted(self, entries: int) -> None:
        """Return when so many entries have come."""
        while self._count < entries:
            await self._news.wait()

    async def reached(self, sequence: int) -> None:
        """Return when all has come up to this sequence of the stream."""
        while self._reached < sequence:
            await self._news.wait()


@asynccontextmanager
async def open_feed(
    bus: Bus, take: Take, fail: Callable[[Exception], None], within_s: float
) -> AsyncIterator[Feed]:
    """Yield a feed that has told all entries of before; raise if it cannot within that time."""
    feed, inbox = Feed(take, fail), bus.nc.new_inbox()
    heard = await bus.nc.subscribe(inbox, cb=feed.hear)
    try:
        async with asyncio.timeout(within_s):
            made = await bus.js.add_consumer(STREAM, config=_consumer(inbox))
            await feed.counted(made.num_pending or 0)
        yield feed
    finally:
        await let_go(heard)


def _consumer(inbox: str) -> ConsumerConfig:
    """Return a consumer that ends by itself soon after nobody hears it any more."""
    return ConsumerConfig(
        deliver_subject=inbox,
        deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
        ack_policy=AckPolicy.NONE,
        filter_subject=f"{PREFIX}>",
        mem_storage=True,
        num_replicas=1,
    )
