"""Identical requests in flight share one: the first starts it, the others ride along."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
import anyio.abc

from services.router.budgets.bill import Bill
from services.router.budgets.estimate import NOTHING, Amount
from services.router.engine import Answer, OnDelta

LEAVE_S = 1.0
"""The last one to leave waits so long for the bill of what it ended."""


@dataclass(slots=True)
class Tab:
    """What a request comes to, for who pays it: its bill, and the seconds it waited for a place."""

    bill: Bill | None = None
    queue_s: float = 0.0

    @property
    def booked(self) -> Amount:
        """Return what the attempts so far came to."""
        return self.bill.amount if self.bill else NOTHING


Start = Callable[[OnDelta | None, Tab], Awaitable[Answer]]
Pay = Callable[[Tab], None]


def _nothing(tab: Tab) -> None:
    return


class Flight:
    """One request upstream and those who wait for it. It is cancelled when the last one leaves.

    `aboard` has a function of each, the first in front: the first that is there still when the
    answer comes bears its cost, so that it is booked once even if who began it has left. So does
    the first of those to whom it fails, and the last to leave what was given up.
    """

    def __init__(self) -> None:
        self.aboard: list[Pay] = []
        self.scope = anyio.CancelScope()
        self.landed = asyncio.Event()
        self._tab = Tab()
        self._deltas: list[str] = []
        self._news = asyncio.Event()
        self._answer: Answer | None = None
        self._error: Exception | None = None

    async def fly(self, start: Start, streamed: bool) -> None:
        """Run the request; its outcome goes to the riders, never to the task group."""
        try:
            with self.scope:
                self._answer = await start(self._tell if streamed else None, self._tab)
        except Exception as error:
            self._error = error
        finally:
            if self._answer is not None or self._tab.booked != NOTHING:
                for pay in self.aboard[:1]:
                    pay(self._tab)
            self.landed.set()
            self._announce()

    async def end(self) -> None:
        """Give up what is not landed yet, and wait until its bill is known."""
        if self.landed.is_set():
            return
        self.scope.cancel()
        with anyio.move_on_after(LEAVE_S, shield=True):
            await self.landed.wait()

    async def follow(self, on_delta: OnDelta | None) -> Answer:
        """Tell all pieces, those of before too; return the answer or raise its error."""
        told = 0
        while True:
            news = self._news
            while on_delta is not None and told < len(self._deltas):
                told += 1
                await on_delta(self._deltas[told - 1])
            if self._error is not None:
                raise self._error
            if self._answer is not None and (on_delta is None or told >= len(self._deltas)):
                break
            await news.wait()
        if on_delta is not None and not self._deltas and self._answer.content:
            await on_delta(self._answer.content)
        return self._answer

    async def _tell(self, delta: str) -> None:
        self._deltas.append(delta)
        self._announce()

    def _announce(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Flights:
    """The flights by key; their tasks belong to `tasks`."""

    def __init__(self, tasks: anyio.abc.TaskGroup) -> None:
        self._tasks = tasks
        self._flying: dict[str, Flight] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._flying

    async def ride(
        self, key: str, start: Start, on_delta: OnDelta | None, pay: Pay = _nothing
    ) -> Answer:
        """Join the flight of this key, or start it; `pay` is given the tab that is this one's."""
        flight = self._flying.get(key)
        if flight is None:
            flight = self._flying[key] = Flight()
            self._tasks.start_soon(self._fly, key, flight, start, on_delta is not None)
        flight.aboard.append(pay)
        try:
            return await flight.follow(on_delta)
        finally:
            if flight.aboard == [pay]:
                self._land(key, flight)
                await flight.end()
            flight.aboard.remove(pay)

    async def _fly(self, key: str, flight: Flight, start: Start, streamed: bool) -> None:
        try:
            await flight.fly(start, streamed)
        finally:
            self._land(key, flight)

    def _land(self, key: str, flight: Flight) -> None:
        """Take no more riders."""
        if self._flying.get(key) is flight:
            del self._flying[key]
