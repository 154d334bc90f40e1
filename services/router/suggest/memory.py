"""Questions with their vectors and answers, a bounded number a tenant."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

from shared.events import Suggestion
from shared.events.base import Instant

KEPT = 200
"""Questions a tenant: comparing with all takes a few milliseconds without numpy."""
TENANTS = 50
LONGEST = 4000
"""Characters of a question or an answer that are kept."""

Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as it was answered."""

    question: str
    answer: str
    model: str
    at: Instant


class Memory:
    """The last `KEPT` questions of each of the last `TENANTS` tenants."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, deque[tuple[Vector, Asked]]] = OrderedDict()

    def keep(self, tenant: str, vector: Vector, asked: Asked) -> None:
        """Keep one; the same question again replaces what was kept of it."""
        held = self._held.pop(tenant, None) or deque(maxlen=KEPT)
        fresh = (each for each in held if each[1].question != asked.question)
        self._held[tenant] = deque(fresh, maxlen=KEPT)
        self._held[tenant].append((vector, asked))
        while len(self._held) > TENANTS:
            self._held.popitem(last=False)

    def count(self, tenant: str) -> int:
        """Return how many questions of this tenant are kept."""
        return len(self._held.get(tenant, ()))

    def nearest(
        self, tenant: str, vector: Vector, limit: int, at_least: float
    ) -> tuple[Suggestion, ...]:
        """Return this tenant's questions of at least this cosine, the nearest first.

        Vectors of another length come from another model and are not comparable.
        """
        held = self._held.get(tenant, ())
        near = [(cosine(vector, other), asked) for other, asked in held]
        near = [each for each in near if each[0] is not None and each[0] >= at_least]
        near.sort(key=lambda each: -(each[0] or 0.0))
        return tuple(_told(similarity or 0.0, asked) for similarity, asked in near[:limit])


def cosine(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Return the product of two unit vectors; None when their lengths differ."""
    return sum(map(mul, one, other)) if len(one) == len(other) else None


def _told(similarity: float, asked: Asked) -> Suggestion:
    return Suggestion(
        question=asked.question,
        answer=asked.answer,
        model=asked.model,
        similarity=round(similarity, 4),
        at=asked.at,
    )
