"""Budgets that count across hosts: each run tells its own sums, and hears those of the others.

Sums of runs only grow and are merged by the larger one, so that it does not matter what comes
twice, late or in another order. While other routers are there, a reservation stands once it has
come back in the order of the bucket, the same for all, with nothing before it that took the room.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from nats.errors import Error as NatsError
from pydantic import ValidationError

from services.router.budgets.estimate import NOTHING, Amount
from services.router.budgets.feed import PREFIX, STREAM, Feed, open_feed
from services.router.budgets.peers import Peers
from services.router.budgets.tally import Key, Tally, Told, fits
from shared.bus import Bus
from shared.errors import SovereignError, TimedOut, Unavailable
from shared.events import BudgetShare
from shared.reading import read_subject

log = logging.getLogger(__name__)

GATHER_S = 0.1
"""Entries are at least so far apart, unless a reservation waits for one."""
WAIT_S = 2.0
"""Longest wait for the bucket; then this router counts by itself until it answers again."""
START_S = 5.0
REST_S = 1.0
AT_ONCE = 200
FAULTS = (NatsError, TimeoutError, OSError, SovereignError)
Entry = tuple[str, str]
"""A budget's name in the bucket, and a run."""


@dataclass(frozen=True, slots=True, eq=False)
class Waiter:
    """A reservation that stands once an entry with a number above `after` came back."""

    after: int
    most: Amount
    verdict: asyncio.Future[bool]


class Sharing:
    """Tells what the run spent, and merges what the others tell into the tallies that joined.

    `alone` says why this router counts by itself now; empty when it counts with the others.
    """

    def __init__(self, bus: Bus, run: str, host: str, peers: Peers) -> None:
        self.host = host
        self.peers = peers
        self.alone = "the bucket has not been read yet"
        self._bus = bus
        self._run = run
        self._number = 0
        self._tallies: dict[str, Tally] = {}
        self._late: dict[str, Tally] = {}
        self._written: dict[str, int] = {}
        self._waiting: dict[str, list[Waiter]] = {}
        self._dirty: set[Entry] = set()
        self._telling: set[Entry] = set()
        self._work, self._urgent = asyncio.Event(), asyncio.Event()
        self._quiet, self._tried = asyncio.Event(), asyncio.Event()
        self._trouble: Exception | None = None
        self._connections = 0

    async def run(self) -> None:
        """Share for ever; what the bucket missed is told when it answers again."""
        while True:
            if self._bus.nc.is_connected:
                await self._share()
            await asyncio.sleep(REST_S)

    async def _share(self) -> None:
        """Share until something fails."""
        self._late.clear()
        self._connections = self._bus.nc.stats["reconnects"]
        try:
            async with open_feed(self._bus, self._take, self._fail, START_S) as feed:
                for name in tuple(self._late):
                    await self._load(name)
                self._begin()
                await self._tell(feed)
        except FAULTS as error:
            self._fail(error)

    async def ready(self) -> None:
        """Return when it counts with the others, or is known not to for now."""
        await self._tried.wait()

    async def flush(self) -> None:
        """Return when the others can know all, or after the longest wait for that."""
        self._urgent.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_S):
                while (self._dirty or self._telling) and not self.alone:
                    await self._quiet.wait()

    async def join(self, key: Key, tally: Tally) -> None:
        """Merge what the others told of a budget so far, and from now on."""
        name = named(key)
        self._tallies[name] = tally
        if self.alone:
            self._late[name] = tally
            return
        try:
            await self._load(name)
        except FAULTS as error:
            self._fail(error)
        self._complete(name, tally)

    def leave(self, key: Key) -> None:
        """Forget a budget; its spending is on the record."""
        name = named(key)
        self._tallies.pop(name, None)
        self._written.pop(name, None)

    def changed(self, keys: Iterable[Key]) -> None:
        """Tell the others soon what these budgets have become."""
        self._mark((named(key), self._run) for key in keys)

    async def agree(self, tallies: Sequence[tuple[Key, Tally]], most: Amount) -> Tally | None:
        """Return the budget whose room others took before a reservation just made, or None.

        While nobody else is there, or the bucket is away, that takes no time.
        """
        self.changed(key for key, _ in tallies)
        self._look()
        if self.alone or self.peers.possible == 1:
            return None
        waiters = [(tally, self._wait(named(key), most)) for key, tally in tallies]
        self._urgent.set()
        try:
            async with asyncio.timeout(WAIT_S):
                for tally, one in waiters:
                    if not await one.verdict:
                        return tally
        except TimeoutError:
            self._fail(TimedOut(f"no answer in {WAIT_S:g} s"))
        finally:
            for _, one in waiters:
                one.verdict.cancel()
        return None

    def _look(self) -> None:
        """Count alone at once when the connection is lost, or was: entries may have been missed."""
        nc = self._bus.nc
        lost = not nc.is_connected or nc.stats["reconnects"] != self._connections
        if lost and not self.alone:
            self._fail(Unavailable("the connection was lost"))

    def _wait(self, name: str, most: Amount) -> Waiter:
        waiter = Waiter(self._number, most, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(name, []).append(waiter)
        return waiter

    def _mark(self, entries: Iterable[Entry]) -> None:
        self._dirty.update(entries)
        self._work.set()

    def _begin(self) -> None:
        """Count with the others from now on."""
        if self._trouble is not None:
            log.warning("budgets: counting with the other routers again")
        self._trouble, self.alone = None, ""
        self._tried.set()
        for name, tally in self._tallies.items():
            if tally.spent != NOTHING or tally.reserved != NOTHING:
                self._mark([(name, self._run)])
            self._complete(name, tally)

    async def _load(self, name: str) -> None:
        """Merge all entries of one budget."""
        async with asyncio.timeout(WAIT_S):
            for stored in await read_subject(self._bus, STREAM, f"{PREFIX}{name}.*"):
                self._take(stored.subject.removeprefix(PREFIX), stored.data)

    def _complete(self, name: str, tally: Tally) -> None:
        """Tell what the record has of earlier runs, where the bucket does not have it all."""
        self._mark((name, run) for run, told in tally.others.items() if told.is_news)

    def _fail(self, error: Exception) -> None:
        """Count alone until the bucket answers again."""
        if self._trouble is None:
            log.warning("budgets: this router counts by itself for now: %s", error)
        self._trouble = error
        self.alone = str(error) or type(error).__name__
        self._tried.set()
        for waiter in (one for all_of in self._waiting.values() for one in all_of):
            if not waiter.verdict.done():
                waiter.verdict.set_result(True)
        self._waiting.clear()
        self._work.set()
        self._settled()

    async def _tell(self, feed: Feed) -> None:
        """Write what changed, and wait for it to come back; raise when that fails."""
        while True:
            await self._work.wait()
            if self._trouble is not None:
                raise self._trouble
            self._work.clear()
            self._urgent.clear()
            await self._round(feed)
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_S):
                    await self._urgent.wait()

    async def _round(self, feed: Feed) -> None:
        self._telling, self._dirty = self._dirty, set()
        try:
            async with asyncio.timeout(WAIT_S):
                await feed.reached(await self._write(self._telling))
        except BaseException:
            self._mark(self._telling)
            raise
        finally:
            self._telling = set()
        self._settled()

    def _settled(self) -> None:
        """Wake who waits for what was told."""
        self._quiet.set()
        self._quiet = asyncio.Event()

    async def _write(self, batch: set[Entry]) -> int:
        """Store the entries; return the last sequence."""
        entries = [entry for entry in batch if entry[0] in self._tallies]
        bodies = [(".".join(entry), self._body(*entry)) for entry in entries]
        last = 0
        for start in range(0, len(bodies), AT_ONCE):
            some = bodies[start : start + AT_ONCE]
            puts = (self._bus.js.publish(f"{PREFIX}{key}", body) for key, body in some)
            last = max(last, *(ack.seq for ack in await asyncio.gather(*puts)))
        return last

    def _body(self, name: str, run: str) -> bytes:
        tally = self._tallies[name]
        told = tally.others.get(run)
        if told is None:
            self._number += 1
            self._written[name] = self._number
            told = Told(self._number, tally.spent, tally.reserved, self.host)
        return (
            BudgetShare(
                number=told.number,
                spent_usd=told.spent.usd,
                spent_tokens=told.spent.tokens,
                reserved_usd=told.reserved.usd,
                reserved_tokens=told.reserved.tokens,
                host=told.host,
            )
            .model_dump_json()
            .encode()
        )

    def _take(self, key: str, data: bytes) -> None:
        """Merge an entry; what is none, or of a budget that is not in use here, is left out."""
        name, _, run = key.rpartition(".")
        tally = self._tallies.get(name)
        if tally is None or not data:
            return
        try:
            share = BudgetShare.model_validate_json(data)
        except ValidationError:
            log.warning("budgets: the entry %s makes no sense and is left out", key)
            return
        told = _told(share)
        tally.hear(run, told)
        if run != self._run:
            return
        self._decide(name, tally, told)
        if told.number < self._written.get(name, 0):
            self._mark([(name, run)])  # who shares the record completed an entry of before

    def _decide(self, name: str, tally: Tally, told: Told) -> None:
        """Give the verdict on what an entry of this run reserved, now that all before it is known.

        What is reserved first has the room; entries that come later look at this one.
        """
        waiting = [one for one in self._waiting.pop(name, []) if not one.verdict.done()]
        due = [one for one in waiting if one.after < told.number]
        if len(due) < len(waiting):
            self._waiting[name] = [one for one in waiting if one not in due]
        asked = sum((one.most for one in due), NOTHING)
        held = tally.by_others.plus(told.spent).plus(told.reserved).minus(asked)
        for one in due:
            stands = fits(tally.limit, held, one.most)
            held = held.plus(one.most) if stands else held
            one.verdict.set_result(stands)


@lru_cache(maxsize=10_000)
def named(key: Key) -> str:
    """Return a budget's name in the bucket: names of people and models may hold anything."""
    told = hashlib.sha256(key.name.encode()).hexdigest()[:32]
    return f"{key.of}.{told}.{key.period or '-'}"


def _told(share: BudgetShare) -> Told:
    spent = Amount(share.spent_usd, share.spent_tokens)
    reserved = Amount(share.reserved_usd, share.reserved_tokens)
    return Told(share.number, spent, reserved, share.host, time.monotonic(), spent)
