"""Calls upstream that several wait for: they share the outcome, and one of them bears the cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio
import anyio.abc

from services.router.budgets.bill import Bill
from services.router.budgets.estimate import NOTHING, Amount

LEAVE_S = 1.0
"""The last one to leave waits so long for the bill of what it ended."""
Key = TypeVar("Key")
Paid = TypeVar("Paid")


@dataclass(slots=True)
class Tab:
    """What a request comes to, for who pays it: its bill, and the seconds it waited for a place."""

    bill: Bill | None = None
    queue_s: float = 0.0

    @property
    def booked(self) -> Amount:
        """Return what the attempts so far came to."""
        return self.bill.amount if self.bill else NOTHING


class Flight(Generic[Key, Paid]):
    """One call upstream under `keys`, and those who wait for it; `paid` is what it comes to.

    `aboard` has a function of each, the first in front: the first that is there still when the
    outcome comes bears its cost, so that it is booked once even if who began it has left. So does
    the first of those to whom it fails, and the last to leave what was given up.
    """

    def __init__(self, keys: Sequence[Key], paid: Paid) -> None:
        self.keys = tuple(keys)
        self.paid = paid
        self.aboard: list[Callable[[Paid], None]] = []
        self.error: Exception | None = None
        self.down = asyncio.Event()
        self._scope = anyio.CancelScope()

    @property
    def owed(self) -> bool:
        """Tell whether there is something to pay."""
        raise NotImplementedError

    async def fly(self, call: Callable[[], Awaitable[None]]) -> None:
        """Run the call; its outcome goes to the riders, never to the task group."""
        try:
            with self._scope:
                await call()
        except Exception as error:
            self.error = error
        finally:
            if self.owed:
                for pay in self.aboard[:1]:
                    pay(self.paid)
            self.down.set()

    async def end(self) -> None:
        """Give up what is not down yet, and wait until its bill is known."""
        if not self.down.is_set():
            self._scope.cancel()
            with anyio.move_on_after(LEAVE_S, shield=True):
                await self.down.wait()


AnyFlight = TypeVar("AnyFlight", bound=Flight)  # type: ignore[type-arg]


class Flying(Generic[Key, AnyFlight]):
    """The flights, found by each of their keys; their tasks belong to `tasks`.

    A flight is cancelled when the last one leaves.
    """

    def __init__(self, tasks: anyio.abc.TaskGroup) -> None:
        self._tasks = tasks
        self._flying: dict[Key, AnyFlight] = {}

    def of(self, key: Key) -> AnyFlight | None:
        """Return the flight under this key, if there is one."""
        return self._flying.get(key)

    def begin(self, flight: AnyFlight, call: Callable[[], Awaitable[None]]) -> AnyFlight:
        """Return the flight, which begins as soon as its first rider waits."""
        self._flying.update(dict.fromkeys(flight.keys, flight))
        self._tasks.start_soon(self._fly, flight, call)
        return flight

    @asynccontextmanager
    async def aboard(
        self, flight: AnyFlight, pay: Callable[[Paid], None]
    ) -> AsyncIterator[AnyFlight]:
        """Be aboard for the body; `pay` is called if the cost is this one's."""
        flight.aboard.append(pay)
        try:
            yield flight
        finally:
            if flight.aboard == [pay]:
                self._land(flight)
                await flight.end()
            flight.aboard.remove(pay)

    async def _fly(self, flight: AnyFlight, call: Callable[[], Awaitable[None]]) -> None:
        try:
            await flight.fly(call)
        finally:
            self._land(flight)

    def _land(self, flight: AnyFlight) -> None:
        """Take no more riders."""
        for key in flight.keys:
            if self._flying.get(key) is flight:
                del self._flying[key]
