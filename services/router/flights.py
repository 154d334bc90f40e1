"""Identical requests in flight share one: the first starts it, the others ride along."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from services.router.budgets.estimate import NOTHING
from services.router.engine import Answer, OnDelta
from services.router.flying import Flight, Flying, Tab

Start = Callable[[OnDelta | None, Tab], Awaitable[Answer]]
Pay = Callable[[Tab], None]


def _nothing(tab: Tab) -> None:
    return


class AnswerFlight(Flight[str, Tab]):
    """One request upstream: its pieces as they come, then its answer."""

    def __init__(self, key: str) -> None:
        super().__init__((key,), Tab())
        self._deltas: list[str] = []
        self._news = asyncio.Event()
        self._answer: Answer | None = None

    @property
    def owed(self) -> bool:
        """Tell whether it came to an answer, or cost something all the same."""
        return self._answer is not None or self.paid.booked != NOTHING

    async def ask(self, start: Start, streamed: bool) -> None:
        """Run the request; its pieces are kept for those who come aboard later."""
        self._answer = await start(self._tell if streamed else None, self.paid)

    async def fly(self, call: Callable[[], Awaitable[None]]) -> None:
        """Run the call, and let everybody look at what became of it."""
        try:
            await super().fly(call)
        finally:
            self._announce()

    async def follow(self, on_delta: OnDelta | None) -> Answer:
        """Tell all pieces, those of before too; return the answer or raise its error."""
        told = 0
        while True:
            news = self._news
            while on_delta is not None and told < len(self._deltas):
                told += 1
                await on_delta(self._deltas[told - 1])
            if self.error is not None:
                raise self.error
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


class Flights(Flying[str, AnswerFlight]):
    """The requests in flight by their cache's key."""

    def __contains__(self, key: str) -> bool:
        return self.of(key) is not None

    async def ride(
        self, key: str, start: Start, on_delta: OnDelta | None, pay: Pay = _nothing
    ) -> Answer:
        """Join the flight of this key, or start it; `pay` is given the tab that is this one's."""
        flight = self.of(key) or self._start(key, start, on_delta is not None)
        async with self.aboard(flight, pay):
            return await flight.follow(on_delta)

    def _start(self, key: str, start: Start, streamed: bool) -> AnswerFlight:
        flight = AnswerFlight(key)
        return self.begin(flight, lambda: flight.ask(start, streamed))
