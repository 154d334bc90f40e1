"""Texts in flight: who asks for one that is being embedded rides along instead of asking again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import anyio.abc

from services.router.budgets.estimate import NOTHING
from services.router.embedding.vectors import Vector
from services.router.engine import Vectors
from services.router.flights import LEAVE_S, Tab
from shared.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Made:
    """What one call of an engine brought: its answer, and a vector for each text."""

    found: Vectors
    vectors: tuple[Vector, ...]


@dataclass(slots=True)
class Purchase:
    """One call of an engine, for who pays it: the keys of its texts, if they have any, its bill,
    and what it brought; None as long as it has not, or if it failed."""

    keys: tuple[bytes, ...] = ()
    tab: Tab = field(default_factory=Tab)
    made: Made | None = None


Start = Callable[[Tab], Awaitable[Made]]
Pay = Callable[[Purchase], None]


class Flight:
    """One call upstream for the texts under `keys`. It is cancelled when the last one leaves.

    `aboard` has a function of each who waits, the first in front: the first that is there still
    when the vectors come bears their cost, even if who began it has left. So does the first of
    those to whom it fails, and the last to leave what was given up.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self.bought = Purchase(tuple(keys))
        self.aboard: list[Pay] = []
        self._scope = anyio.CancelScope()
        self._down = asyncio.Event()
        self._error: Exception = Unavailable("the call for this text was given up")

    async def fly(self, start: Start) -> None:
        """Run the call; its outcome goes to the riders, never to the task group."""
        bought = self.bought
        try:
            with self._scope:
                bought.made = await start(bought.tab)
        except Exception as error:
            self._error = error
        finally:
            if bought.made is not None or bought.tab.booked != NOTHING:
                for pay in self.aboard[:1]:
                    pay(bought)
            self._down.set()

    async def end(self) -> None:
        """Give up what is not there yet, and wait until its bill is known."""
        if not self._down.is_set():
            self._scope.cancel()
            with anyio.move_on_after(LEAVE_S, shield=True):
                await self._down.wait()

    async def landed(self) -> dict[bytes, Vector]:
        """Return the vectors by key when they have come, or raise what went wrong."""
        await self._down.wait()
        if self.bought.made is None:
            raise self._error
        return dict(zip(self.bought.keys, self.bought.made.vectors, strict=True))


class EmbedFlights:
    """The flights, found by each of their keys; their tasks belong to `tasks`."""

    def __init__(self, tasks: anyio.abc.TaskGroup) -> None:
        self._tasks = tasks
        self._flying: dict[bytes, Flight] = {}

    def of(self, key: bytes) -> Flight | None:
        """Return the flight that will bring this vector, if there is one."""
        return self._flying.get(key)

    def start(self, keys: Sequence[bytes], start: Start) -> Flight:
        """Return a new flight; it begins as soon as its first rider waits."""
        flight = Flight(keys)
        self._flying.update(dict.fromkeys(flight.bought.keys, flight))
        self._tasks.start_soon(self._fly, flight, start)
        return flight

    @asynccontextmanager
    async def ride(self, flight: Flight, pay: Pay) -> AsyncIterator[None]:
        """Be aboard for the body; `pay` is called if the cost is this one's."""
        flight.aboard.append(pay)
        try:
            yield
        finally:
            if flight.aboard == [pay]:
                self._land(flight)
                await flight.end()
            flight.aboard.remove(pay)

    async def _fly(self, flight: Flight, start: Start) -> None:
        try:
            await flight.fly(start)
        finally:
            self._land(flight)

    def _land(self, flight: Flight) -> None:
        """Take no more riders."""
        for key in flight.bought.keys:
            if self._flying.get(key) is flight:
                del self._flying[key]
