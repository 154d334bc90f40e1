"""Pairs of needs and providers in lists, with what they are worth."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from services.match.auction import Array
from services.match.index import Floats, Ints


@dataclass(frozen=True)
class Scored:
    """Allowed pairs; all arrays have one value a pair."""

    rows: Ints
    columns: Ints
    total: Floats
    client: Floats
    provider: Floats
    confidence: Floats

    def where(self, which: Array) -> Scored:
        """Return the pairs that a mask, or their places, tell."""
        return Scored(*(getattr(self, field.name)[which] for field in fields(Scored)))


def joined(lists: list[Scored]) -> Scored:
    """Return all pairs in one list."""
    if not lists:
        nothing, none = np.zeros(0, np.int32), np.zeros(0, np.float32)
        return Scored(nothing, nothing, none, none, none, none)
    names = [field.name for field in fields(Scored)]
    return Scored(*(np.concatenate([getattr(one, name) for one in lists]) for name in names))
