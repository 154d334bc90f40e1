"""How much of what may wait is done in one turn of the loop, beside requests that cannot."""

from __future__ import annotations

BREATH = 8
"""So many at a time while few wait; then requests get their turn."""
SHARE = 4
"""A fourth of what waits when that is more: under load, it must not pile up."""


def few(waiting: int) -> int:
    """Return how many of those that wait are done now."""
    return min(waiting, max(BREATH, waiting // SHARE))
