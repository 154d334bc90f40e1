"""How often a service may be restarted, and how long to wait before: pure arithmetic."""

from __future__ import annotations

import random
from collections import deque

BASE_S = 0.2
CAP_S = 60.0
"""Longest wait between two restarts, in seconds."""


class Intensity:
    """Counts failures in a sliding window (Erlang/OTP: `MaxR` restarts in `MaxT` seconds)."""

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._failures: deque[float] = deque(maxlen=limit + 1)

    def failed(self, at: float) -> bool:
        """Record a failure at monotonic second `at`; tell whether a restart is still allowed."""
        self._failures.append(at)
        return self.recent(at) <= self._limit

    def recent(self, at: float) -> int:
        """Return the failures in the window that ends at `at`."""
        return sum(1 for failure in self._failures if failure > at - self._window_s)

    def forget(self) -> None:
        """Start counting anew, after a person or a remedy released the service."""
        self._failures.clear()


def backoff_s(failures: int, chance: random.Random) -> float:
    """Return the seconds to wait before the restart after the n-th failure in a row.

    The first restart is immediate; then full jitter: uniform in [0, min(cap, base * 2^(n-2))]
    (AWS Architecture Blog, "Exponential Backoff And Jitter").
    """
    if failures <= 1:
        return 0.0
    return chance.uniform(0.0, min(CAP_S, BASE_S * 2.0 ** (failures - 2)))
