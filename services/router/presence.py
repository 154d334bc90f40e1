"""Notices requesters that are gone, so that no model works for nobody.

The server answers a message that has a reply subject and no subscriber with status 503 ("no
responders"). So a requester is there as long as a word to its inbox is not answered like that:

- Whoever asked for a stream gets a chunk without text now and then.
- Other requesters must hear nothing but the answer. The clients of NATS take all answers with one
  wildcard (`_INBOX.<id>.*`) and ignore what they did not ask for, so the word goes beside the
  answer's subject. A first word tells whether the requester listens that way; one that does not
  (an inbox for this answer alone) is not watched, and its deadline is its limit.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

TICK_S = 0.3
MISSES = 2
"""Words in a row that reach nobody: one may fall into a reconnection."""
SETTLE_S = 5.0
"""After a reconnection of ours, others may need so long for theirs; nobody counts as gone then."""
BESIDE = "presence"
NOBODY = "503"
KNOWN = 1024
"""So many requesters are remembered as unable to hear a word beside their answer."""
Leave = Callable[[str], object]


@dataclass(slots=True)
class _Watch:
    """One request in hand: where and what to say, and whom to tell when nobody hears it."""

    subject: str
    word: Callable[[], bytes]
    leave: Leave
    misses: int = 0
    missed: bool = False


class Presence:
    """Watches the requesters of requests in hand; `run` belongs to a task group."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inbox = client.new_inbox()
        self._numbers = itertools.count()
        self._watches: dict[str, _Watch] = {}
        self._asked: OrderedDict[str, str] = OrderedDict()
        self._deaf: OrderedDict[str, None] = OrderedDict()
        self._work = asyncio.Event()
        self._connections = 0
        self._settled_at = 0.0

    async def listen(self) -> None:
        """Hear what the server says of words that reached nobody."""
        await self._client.subscribe(f"{self._inbox}.*", cb=self._hear)

    @asynccontextmanager
    async def watch(
        self, reply: str, chunk: Callable[[], bytes] | None, leave: Leave
    ) -> AsyncIterator[None]:
        """Call `leave` with the reason when nobody waits at `reply` any more, during the body.

        `chunk` makes an empty chunk for the requester of a stream.
        """
        beside, _, _ = reply.rpartition(".")
        if not reply or (chunk is None and (not beside or await self._is_deaf(beside))):
            yield
            return
        token = str(next(self._numbers))
        subject = reply if chunk else f"{beside}.{BESIDE}"
        self._watches[token] = _Watch(subject, chunk or bytes, leave)
        self._work.set()
        try:
            yield
        finally:
            del self._watches[token]

    async def run(self) -> None:
        """Say a word to every requester, every `TICK_S`."""
        while True:
            if not self._watches:
                self._work.clear()
            await self._work.wait()
            await asyncio.sleep(TICK_S)
            if self._settled():
                await self._tick()

    async def _tick(self) -> None:
        for token, watch in tuple(self._watches.items()):
            watch.misses = watch.misses if watch.missed else 0
            watch.missed = False
            await self._say(watch.subject, watch.word(), token)

    def _settled(self) -> bool:
        """Tell whether silence means anything: not while the bus is away, nor soon after."""
        now, connections = time.monotonic(), self._client.stats["reconnects"]
        if connections != self._connections or not self._client.is_connected:
            self._connections = connections
            self._settled_at = now + SETTLE_S
        return now >= self._settled_at

    async def _is_deaf(self, beside: str) -> bool:
        """Tell what is known of a requester; at first sight, say the first word and hope."""
        if beside not in self._asked and beside not in self._deaf:
            self._asked[beside] = token = f"first{next(self._numbers)}"
            if len(self._asked) > KNOWN:
                self._asked.popitem(last=False)
            await self._say(f"{beside}.{BESIDE}", b"", token)
        return beside in self._deaf

    async def _say(self, subject: str, word: bytes, token: str) -> None:
        try:
            await self._client.publish(subject, word, reply=f"{self._inbox}.{token}")
        except NatsError:
            return  # no bus, no news

    async def _hear(self, message: Msg) -> None:
        if (message.headers or {}).get("Status") != NOBODY:
            return
        token = message.subject.rpartition(".")[2]
        watch = self._watches.get(token)
        if watch is None:
            self._forget(token)
            return
        watch.misses += not watch.missed
        watch.missed = True
        if watch.misses >= MISSES:
            watch.leave("the requester is gone")

    def _forget(self, token: str) -> None:
        """Watch a requester no more that did not hear the first word."""
        beside = next((name for name, first in self._asked.items() if first == token), None)
        if beside is None:
            return
        del self._asked[beside]
        self._deaf[beside] = None
        if len(self._deaf) > KNOWN:
            self._deaf.popitem(last=False)
        for watch in self._watches.values():
            if watch.subject == f"{beside}.{BESIDE}":
                watch.leave = _nothing


def _nothing(_: str) -> None:
    """Leave a requester alone that cannot be watched."""
