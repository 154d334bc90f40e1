"""Keeps this process's index at the end of stream SESSIONS, whoever writes to it.

It reads what it missed in batches, then follows a consumer of its own. A gap, a lost server or a
silence with something behind it makes it read again from the last fact it holds.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError

from services.sessions.index import Index, is_damage
from services.sessions.stored import Fact, fact
from shared.bus import Bus
from shared.errors import InvalidInput, SovereignError
from shared.events import DeadLetter
from shared.reading import Stored, read_page
from shared.subjects import dead
from shared.subscriptions import let_go
from shared.work import as_text, reason_of

log = logging.getLogger(__name__)

STREAM = "SESSIONS"
SUBJECTS = "session.event.*"
SILENCE_S = 5.0
"""After so long without a message the follower asks whether there is really nothing new."""

LOST = (NatsError, APIError, SovereignError, TimeoutError, sqlite3.Error)
"""What passes: a server that is away, a file that another process holds for a moment."""


class Follower:
    """One loop that feeds one index; `wait_for` tells when a sequence is in it."""

    def __init__(self, bus: Bus, index: Index) -> None:
        self._bus = bus
        self._index = index
        self._moved = asyncio.Event()
        self._checked = 0
        self._lock = asyncio.Lock()
        self.builds = 0
        """How often the index was built anew because it was damaged."""

    async def open(self) -> None:
        """Open the index for the stream that the server has now, and read up to its end."""
        info = await self._bus.js.stream_info(STREAM)
        await self._index.open(str(info.created))
        if self._index.last_seq > (info.state.last_seq or 0):
            await self._index.empty()
            await self._index.open(str(info.created))
        await self.catch_up()

    async def rebuild(self) -> None:
        """Build the index anew from the stream; what comes meanwhile waits."""
        async with self._lock:
            self._index.building = True
            await self._index.empty()
            await self._build()

    async def heal(self, why: str, seen: int) -> None:
        """Set a damaged index aside and build it anew; `seen` is `builds` when it was damaged."""
        async with self._lock:
            if self.builds != seen:
                return
            self._index.building = True
            await self._index.set_aside(why)
            await self._build()
            self.builds += 1

    async def built(self) -> bool:
        """Wait while the index is built anew; tell whether there was anything to wait for."""
        if not self._index.building:
            return False
        async with self._lock:
            return True

    async def _build(self) -> None:
        """Read the stream into an index that was begun anew; what fails midway is begun again."""
        await self._index.close()
        info = await self._bus.js.stream_info(STREAM)
        await self._index.open(str(info.created))
        await self._read_on()
        self._index.building = False

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            seen = self.builds
            try:
                await self.catch_up()
                await self._follow()
            except LOST as error:
                await self._mend(error, seen)

    async def _mend(self, error: Exception, seen: int) -> None:
        """Build a damaged index anew; else wait a moment."""
        log.warning("stream %s: %s; reading again", STREAM, error or type(error).__name__)
        try:
            if isinstance(error, sqlite3.DatabaseError) and is_damage(error):
                await self.heal(str(error), seen)
                return
        except LOST as again:
            log.warning("stream %s: %s", STREAM, again or type(again).__name__)
        await asyncio.sleep(0.5)

    async def catch_up(self) -> None:
        """Take in all that the stream holds beyond the index."""
        async with self._lock:
            if self._index.building:
                await self._build()
            await self._read_on()

    async def _read_on(self) -> None:
        while page := await read_page(self._bus, STREAM, SUBJECTS, self._index.last_seq):
            await self._take(page)

    async def wait_for(self, seq: int, within_s: float = 2.0) -> bool:
        """Return True as soon as `seq` is in the index, False after `within_s` seconds."""
        try:
            async with asyncio.timeout(within_s):
                while self._index.last_seq < seq:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def _follow(self) -> None:
        """Take messages as they come; return when something is missing."""
        subscription = await self._subscribe()
        try:
            expected = 1
            while True:
                messages = await _available(subscription)
                if not messages and await self._behind():
                    return
                for message in messages:
                    if message.metadata.sequence.consumer != expected:
                        return
                    expected += 1
                async with self._lock:
                    await self._take([_stored(message) for message in messages])
        finally:
            await let_go(subscription)

    async def _subscribe(self) -> Subscription:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self._index.last_seq + 1,
            ack_policy=AckPolicy.NONE,
            max_deliver=1,
            inactive_threshold=60.0,
            mem_storage=True,
            num_replicas=1,
        )
        return await self._bus.js.subscribe(SUBJECTS, stream=STREAM, config=config)

    async def _behind(self) -> bool:
        """Tell whether the stream went on; a purged end of it is looked at only once."""
        last = (await self._bus.js.stream_info(STREAM)).state.last_seq or 0
        news = last > max(self._index.last_seq, self._checked)
        self._checked = last
        return news

    async def _take(self, messages: list[Stored]) -> None:
        facts = [found for message in messages if (found := await self._fact(message))]
        if messages:
            await self._index.add(facts, messages[-1].seq)
        self._moved.set()
        self._moved.clear()

    async def _fact(self, message: Stored) -> Fact | None:
        """Return the fact, or None after telling DEAD why the message is none."""
        try:
            return fact(message)
        except InvalidInput as error:
            text, encoding = as_text(message.data)
            letter = DeadLetter(
                stream=STREAM, subject=message.subject, reason=reason_of(error), payload=text,
                payload_encoding=encoding, seq=message.seq, consumer="index", by=self._bus.source,
            )  # fmt: skip
            await self._bus.publish(dead(STREAM), letter, f"dead.{STREAM}.{message.seq}")
            return None


async def _available(subscription: Subscription) -> list[Msg]:
    """Return the next message and all that came with it; empty after a silence."""
    try:
        found = [await subscription.next_msg(timeout=SILENCE_S)]
    except TimeoutError:
        return []
    while subscription.pending_msgs and len(found) < 500:
        found.append(await subscription.next_msg(timeout=SILENCE_S))
    return found


def _stored(message: Msg) -> Stored:
    return Stored(message.metadata.sequence.stream, message.subject, message.data)
