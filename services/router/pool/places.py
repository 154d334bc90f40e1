"""Gives requests places at hosts, in order of arrival and patience, where they end soonest."""

from __future__ import annotations

import asyncio
import bisect
import itertools
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.router.pool.host import Host
from services.router.slots import PATIENCE_S, SMOOTHING
from shared.errors import Busy

UNKNOWN_S = 1.0
"""What an answer is taken to need before any was measured."""


@dataclass(frozen=True, slots=True)
class Want:
    """A request for a place: `without` are the hosts that have failed it."""

    model: str
    priority: str = "normal"
    without: frozenset[Host] = frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """A place, and the seconds that it was waited for."""

    host: Host
    waited_s: float


@dataclass(order=True, slots=True)
class Waiter:
    """Ordered by arrival + patience, so urgent ones overtake and low ones never starve."""

    rank: float
    order: int
    want: Want = field(compare=False)
    place: asyncio.Future[Host] = field(compare=False)


class Places:
    """At most `queue` wait; the others get a host at once or `Busy`."""

    def __init__(self, hosts: Sequence[Host], queue: int) -> None:
        self.hosts = tuple(hosts)
        self.queue = queue
        self._typical_s = UNKNOWN_S
        self._waiting: list[Waiter] = []
        self._order = itertools.count()
        self._again: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return sum(not waiter.place.done() for waiter in self._waiting)

    @property
    def count(self) -> int:
        """Places for one model over the hosts that are up."""
        return sum(host.slots for host in self.hosts if host.up)

    def info(self) -> dict[str, int]:
        """Return what every beat says."""
        busy = sum(host.busy for host in self.hosts)
        return {"busy": busy, "count": self.count, "waiting": self.waiting}

    @asynccontextmanager
    async def hold(self, want: Want) -> AsyncIterator[Held]:
        """Hold a place for the body; raises `Busy` when the queue is full."""
        began = time.monotonic()
        host = await self._enter(want, began)
        entered = time.monotonic()
        try:
            yield Held(host, entered - began)
        finally:
            self._typical_s += SMOOTHING * (time.monotonic() - entered - self._typical_s)
            host.leave(want.model)
            self.dispatch()

    def usable(self, want: Want) -> list[Host]:
        """Return the hosts that may serve a request, now or when a place is free.

        Those that hold the model if any does; of them those whose circuit allows it. When all
        circuits are open, the one that opens first: refusing all helps nobody.
        """
        left = [host for host in self.hosts if host not in want.without and host.up]
        left = left or [host for host in self.hosts if host not in want.without]
        holding = [host for host in left if host.holds(want.model)] or left
        sound = [host for host in holding if host.circuit.allows]
        if sound or not holding:
            return sound
        return [min(holding, key=lambda host: host.circuit.opens_in_s)]

    def dispatch(self) -> None:
        """Give free places to those who wait, the first first; each model waits for itself."""
        stuck: set[tuple[str, frozenset[Host]]] = set()
        left: list[Waiter] = []
        for waiter in self._waiting:
            kind = (waiter.want.model, waiter.want.without)
            if waiter.place.done():
                continue
            host = None if kind in stuck else self._choose(waiter.want, len(self._waiting))
            if host is None:
                stuck.add(kind)
                left.append(waiter)
            else:
                host.begin(waiter.want.model)
                waiter.place.set_result(host)
        self._waiting = left

    async def _enter(self, want: Want, began: float) -> Host:
        if not self.waiting and (host := self._choose(want, 1)) is not None:
            host.begin(want.model)
            return host
        if self.waiting >= self.queue:
            raise self._full()
        place: asyncio.Future[Host] = asyncio.get_running_loop().create_future()
        rank = began + PATIENCE_S[want.priority]
        bisect.insort(self._waiting, Waiter(rank, next(self._order), want, place))
        self.dispatch()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                place.result().circuit.undecided()
                place.result().leave(want.model)
                self.dispatch()
            raise

    def _choose(self, want: Want, line: int) -> Host | None:
        """Return the free host where the request ends soonest.

        None when there is none, or when the `line` that waits would be through at the other
        hosts before this one is done: a slow host is not worth its place then.
        """
        usable = self.usable(want)
        if len(usable) == 1:
            return usable[0] if usable[0].has_room(want.model) else None
        free = [host for host in usable if host.has_room(want.model)]
        if not free:
            return None
        best_s = fastest(usable, want.model)
        host = min(free, key=lambda one: one.expected_s(want.model, best_s))
        full = [one for one in usable if not one.has_room(want.model)]
        needs_s = host.expected_s(want.model, best_s)
        if full and _through_s(full, want.model, best_s, line) < needs_s:
            self._look_again(needs_s / 4)
            return None
        return host

    def _look_again(self, seconds: float) -> None:
        """Decide anew after a while, since those who are waited for may be stuck."""
        if self._again is None:
            loop = asyncio.get_running_loop()
            self._again = loop.call_later(max(0.01, seconds), self._looked)

    def _looked(self) -> None:
        self._again = None
        self.dispatch()

    def _full(self) -> Busy:
        busy = sum(host.busy for host in self.hosts)
        wait_s = max(1.0, self._typical_s * (self.waiting + 1) / max(1, self.count))
        line = f"{busy} model requests run and {self.waiting} wait: the queue is full"
        return Busy(line, retry_after_s=round(wait_s, 1))


def fastest(hosts: Iterable[Host], model: str) -> float:
    """Return the best known average of a model, which stands for the unknown ones."""
    known = [seconds for host in hosts if (seconds := host.speed.known(model)) is not None]
    return min(known, default=UNKNOWN_S)


def _through_s(full: list[Host], model: str, best_s: float, line: int) -> float:
    """Return when hosts that are full would be through with the line."""
    usual = [host.next_s(model, best_s) for host in full]
    rate = sum(host.slots / max(1e-4, s) for host, s in zip(full, usual, strict=True))
    return line / rate + min(usual)
