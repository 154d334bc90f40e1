"""The phi accrual failure detector: how unlikely is this silence, given the beats so far?

Hayashibara et al., "The phi accrual failure detector" (SRDS 2004), in the form of Akka's
`PhiAccrualFailureDetector`: normal distribution, a floor under its deviation, an acceptable
pause added to its mean. Pure: the caller gives monotonic seconds.
"""

from __future__ import annotations

import math
from collections import deque

SAMPLES = 200
MIN_DEVIATION_S = 0.1
"""Akka's `min-std-deviation`: a very regular sender must not make the detector nervous."""

FIRST_DEVIATION = 10
"""Before any beat the deviation is taken as a tenth of the interval (Akka: a quarter), so that a
service that was just restarted is not given a second more than one that has run for long."""


class PhiDetector:
    """Accrues suspicion of one sender of beats."""

    def __init__(self, interval_s: float, pause_s: float, at: float) -> None:
        deviation = interval_s / FIRST_DEVIATION
        self._pause_s = pause_s
        self._intervals = deque([interval_s - deviation, interval_s + deviation], maxlen=SAMPLES)
        self._last = at

    def beat(self, at: float) -> None:
        """Take a beat that arrived at `at`."""
        self._intervals.append(max(0.0, at - self._last))
        self._last = at

    def excuse(self, at: float) -> None:
        """Start the silence anew: the watcher could not hear until `at`."""
        self._last = max(self._last, at)

    def silence(self, at: float) -> float:
        """Return the seconds since the last beat or excuse."""
        return at - self._last

    def phi(self, at: float) -> float:
        """Return -log10 of the chance that a beat comes even later than `at`.

        The tail of the normal distribution by the logistic approximation that Akka uses
        (error below 1.4e-4): 1 / (1 + e^(y (1.5976 + 0.070566 y^2))).
        """
        mean = sum(self._intervals) / len(self._intervals)
        y = (self.silence(at) - mean - self._pause_s) / self._deviation(mean)
        exponent = y * (1.5976 + 0.070566 * y * y)
        if exponent > 500:
            return exponent / math.log(10)
        return math.log1p(math.exp(exponent)) / math.log(10)

    def _deviation(self, mean: float) -> float:
        squares = sum((interval - mean) ** 2 for interval in self._intervals)
        return max(MIN_DEVIATION_S, math.sqrt(squares / len(self._intervals)))
