"""Tells when a series of times is slower than usual, with few false alarms.

Values are compared on a logarithmic scale with the median of the last normal ones, in units of
their median absolute deviation (MAD), and clipped, so that a single slow call is nothing. Three
questions are asked of the clipped values: are most of the last ones extreme (a burst), is their
moving average high (a shift; EWMA control chart, S. W. Roberts, 1959), has their sum crept up
(a drift; CUSUM, E. S. Page, 1954).
"""

from __future__ import annotations

import bisect
import math
from collections import deque

LEARN = 40
"""Values before the first judgement."""
WINDOW = 240
NORMAL = 1.4826
"""MAD of a normal distribution to its standard deviation."""
LEAST_SPREAD = 0.05
"""On the logarithmic scale: five percent is no anomaly, however steady a series is."""
CLIP = 5.0
SMOOTHING = 0.15
SHIFTED = 2.0
"""Of the moving average: seven of its own standard deviations (0.285)."""
SLACK = 0.75
CREPT = 20.0
LAST = 6
EXTREME = 3.5
BURST = 5
"""So many of the `LAST` values extreme."""
CALM = 0.5
CALM_FOR = 12
ACCEPTED = 400
"""Values after which a level that stayed is the usual one."""


class Window:
    """The last values, with their median and spread."""

    def __init__(self) -> None:
        self._order: deque[float] = deque()
        self._sorted: list[float] = []
        self.median = 0.0
        self.spread = LEAST_SPREAD

    def __len__(self) -> int:
        return len(self._order)

    def add(self, value: float) -> None:
        """Take a value in, the oldest out; median and spread follow every eighth time."""
        self._order.append(value)
        bisect.insort(self._sorted, value)
        if len(self._order) > WINDOW:
            del self._sorted[bisect.bisect_left(self._sorted, self._order.popleft())]
        if len(self._order) % 8 == 0 or len(self._order) <= LEARN or len(self._order) == WINDOW:
            self._measure()

    def _measure(self) -> None:
        middle = len(self._sorted) // 2
        self.median = self._sorted[middle]
        distances = sorted(abs(value - self.median) for value in self._sorted)
        self.spread = max(LEAST_SPREAD, NORMAL * distances[middle])


class Detector:
    """Takes positive values one by one; `abnormal` tells whether an episode goes on."""

    def __init__(self) -> None:
        self._window = Window()
        self._mean = 0.0
        self._sum = 0.0
        self._recent: deque[float] = deque(maxlen=LAST)
        self._calm = 0
        self._since = 0
        self.abnormal = False
        self.worst = 0.0

    @property
    def usual(self) -> float:
        """The median of normal values."""
        return math.exp(self._window.median)

    def take(self, value: float) -> bool:
        """Take a value in; return whether an episode began or ended with it."""
        position = math.log(max(value, 1e-9))
        if len(self._window) < LEARN:
            self._window.add(position)
            return False
        score = (position - self._window.median) / self._window.spread
        self._follow(max(-CLIP, min(CLIP, score)))
        if self.abnormal:
            return self._in_episode(value, position)
        if self._alarming():
            self.abnormal, self.worst = True, value
            self._calm = self._since = 0
            return True
        if abs(score) < CLIP:
            self._window.add(position)
        return False

    def _follow(self, score: float) -> None:
        self._recent.append(score)
        self._mean += SMOOTHING * (score - self._mean)
        self._sum = max(0.0, self._sum + score - SLACK)

    def _alarming(self) -> bool:
        burst = sum(score > EXTREME for score in self._recent) >= BURST
        return burst or self._mean > SHIFTED or self._sum > CREPT

    def _in_episode(self, value: float, position: float) -> bool:
        """End the episode when it was calm for a while, or when the level is the usual one now."""
        self.worst = max(self.worst, value)
        self._since += 1
        self._calm = self._calm + 1 if self._mean < CALM else 0
        if self._calm < CALM_FOR and self._since < ACCEPTED:
            return False
        if self._since >= ACCEPTED:
            self._window = Window()
            self._window.add(position)
        self.abnormal = False
        self._mean = self._sum = 0.0
        self._recent.clear()
        return True


class ErrorDetector:
    """Takes outcomes; tells when errors come at five times their usual rate, or one in five.

    A CUSUM of log-likelihood ratios between the usual rate and that one (Page, 1954); the usual
    rate is a slow average, never below one in a hundred.
    """

    LEAST = 0.01
    RAISED = 5.0
    HIGH = 0.2
    ALARM = 6.0
    SLOW = 0.005
    FAST = 0.1

    def __init__(self) -> None:
        self._sum = 0.0
        self._seen = 0
        self.usual = self.LEAST
        self.now = 0.0
        self.worst = 0.0
        self.abnormal = False

    def take(self, failed: bool) -> bool:
        """Take an outcome in; return whether an episode began or ended with it."""
        self._seen += 1
        self.now += self.FAST * (failed - self.now)
        usual = max(self.usual, self.LEAST)
        raised = min(0.9, max(self.RAISED * usual, self.HIGH))
        ratio = raised / usual if failed else (1 - raised) / (1 - usual)
        self._sum = max(0.0, self._sum + math.log(ratio))
        if self.abnormal:
            return self._in_episode()
        if self._sum > self.ALARM:
            self.abnormal, self.worst = True, self.now
            return True
        self.usual += self.SLOW * (failed - self.usual)
        return False

    def _in_episode(self) -> bool:
        self.worst = max(self.worst, self.now)
        self._sum = min(self._sum, 2 * self.ALARM)
        if self._sum > 0.0:
            return False
        self.abnormal = False
        return True
