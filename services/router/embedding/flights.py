"""Texts in flight: who asks for one that is being embedded rides along instead of asking again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from services.router.budgets.estimate import NOTHING
from services.router.embedding.vectors import Vector
from services.router.engine import Vectors
from services.router.flying import Flight, Flying, Tab
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


class VectorFlight(Flight[bytes, Purchase]):
    """One call upstream for the texts under `keys`."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        super().__init__(keys, Purchase(tuple(keys)))

    @property
    def owed(self) -> bool:
        """Tell whether it brought vectors, or cost something all the same."""
        return self.paid.made is not None or self.paid.tab.booked != NOTHING

    async def ask(self, start: Start) -> None:
        """Run the call."""
        self.paid.made = await start(self.paid.tab)

    async def landed(self) -> dict[bytes, Vector]:
        """Return the vectors by key when they have come, or raise what went wrong."""
        await self.down.wait()
        if self.paid.made is None:
            raise self.error or Unavailable("the call for this text was given up")
        return dict(zip(self.keys, self.paid.made.vectors, strict=True))


class EmbedFlights(Flying[bytes, VectorFlight]):
    """The calls in flight by the keys of their texts."""

    def start(self, keys: Sequence[bytes], start: Start) -> VectorFlight:
        """Return a new flight; it begins as soon as its first rider waits."""
        flight = VectorFlight(keys)
        return self.begin(flight, lambda: flight.ask(start))
