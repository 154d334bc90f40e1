"""Where a process's memory is heading: a robust slope over its beats. Pure."""

from __future__ import annotations

from collections import deque
from statistics import median

SAMPLES = 60
LEAST = 20
SPARSE = 30
"""Each so many beats one goes to the slow window too: half an hour at one beat a second."""

START_S = 20.0
"""Who is first heard later than this has a start that nobody saw."""

NEAR = 0.9
HALF = 0.5


class Memory:
    """Two windows over resident memory: a minute for leaks that run, half an hour for slow ones."""

    def __init__(self) -> None:
        self._fast: deque[tuple[float, int]] = deque(maxlen=SAMPLES)
        self._slow: deque[tuple[float, int]] = deque(maxlen=SAMPLES)
        self._beats = 0
        self._at_start = 0

    def take(self, at: float, rss_bytes: int, uptime_s: float) -> None:
        """Add one sample at monotonic second `at`, of a ready process that runs for `uptime_s`."""
        self._fast.append((at, rss_bytes))
        if self._beats % SPARSE == 0:
            self._slow.append((at, rss_bytes))
        self._beats += 1
        if not self._at_start and uptime_s <= START_S:
            self._at_start = rss_bytes

    def never_fitted(self, cap_bytes: int) -> bool:
        """Tell whether nine tenths of the cap were reached at the first beat already.

        Another start would need as much again.
        """
        return self._at_start >= NEAR * cap_bytes > 0

    def ends_in_s(self, cap_bytes: int) -> tuple[float, float] | None:
        """Return the seconds until the cap is reached and the slope in bytes a second, or None.

        Nothing is extrapolated further than it was observed, nor from below half of the cap; a
        process at nine tenths of it has no time left.
        """
        if not cap_bytes or not self._fast or self._fast[-1][1] < HALF * cap_bytes:
            return None
        present = self._fast[-1][1]
        if present >= NEAR * cap_bytes:
            return 0.0, slope(self._fast)
        for window in (self._fast, self._slow):
            rising = slope(window) if len(window) >= LEAST else 0.0
            if rising > 0:
                left_s = (cap_bytes - present) / rising
                if left_s <= window[-1][0] - window[0][0]:
                    return left_s, rising
        return None


def slope(samples: deque[tuple[float, int]]) -> float:
    """Return the median of the slopes of all pairs (Theil 1950, Sen 1968), in units a second."""
    pairs = list(samples)
    found = [
        (later[1] - one[1]) / (later[0] - one[0])
        for number, one in enumerate(pairs)
        for later in pairs[number + 1 :]
        if later[0] > one[0]
    ]
    return median(found) if found else 0.0
