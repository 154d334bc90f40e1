"""Texts in flight: who asks for one that is being embedded rides along instead of asking again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
import anyio.abc

from services.router.embedding.vectors import Vector
from services.router.engine import Vectors
from shared.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Made:
    """What one call of an engine came to: its answer, a vector for each text, the wait for it.

    `keys` are those of the texts, none where nothing is kept.
    """

    found: Vectors
    vectors: tuple[Vector, ...]
    queue_s: float
    keys: tuple[bytes, ...] = ()


Start = Callable[[], Awaitable[Made]]
Pay = Callable[[Made], None]


class Flight:
    """One call upstream for the texts under `keys`. It is cancelled when the last one leaves.

    `aboard` has a function of each who waits, the first in front: the first that is there still
    when the vectors come bears their cost, even if who began it has left.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self.keys = tuple(keys)
        self.aboard: list[Pay] = []
        self.scope = anyio.CancelScope()
        self._down = asyncio.Event()
        self._outcome: Made | Exception = Unavailable("the call for this text was given up")

    async def fly(self, start: Start) -> None:
        """Run the call; its outcome goes to the riders, never to the task group."""
        with self.scope:
            try:
                self._outcome = made = await start()
                for pay in self.aboard[:1]:
                    pay(made)
            except Exception as error:
                self._outcome = error
            self._down.set()

    async def landed(self) -> dict[bytes, Vector]:
        """Return the vectors by key when they have come, or raise what went wrong."""
        await self._down.wait()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return dict(zip(self.keys, self._outcome.vectors, strict=True))


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
        self._flying.update(dict.fromkeys(flight.keys, flight))
        self._tasks.start_soon(self._fly, flight, start)
        return flight

    @contextmanager
    def ride(self, flight: Flight, pay: Pay) -> Iterator[None]:
        """Be aboard for the body; `pay` is called if the cost is this one's."""
        flight.aboard.append(pay)
        try:
            yield
        finally:
            flight.aboard.remove(pay)
            if not flight.aboard:
                self._land(flight)
                flight.scope.cancel()

    async def _fly(self, flight: Flight, start: Start) -> None:
        try:
            await flight.fly(start)
        finally:
            self._land(flight)

    def _land(self, flight: Flight) -> None:
        """Take no more riders."""
        for key in flight.keys:
            if self._flying.get(key) is flight:
                del self._flying[key]
