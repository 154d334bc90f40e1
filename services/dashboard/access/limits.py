"""Limits: failed attempts to enter, and requests of one caller. Bounded memory, no sleeping."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from shared.errors import Busy

ATTEMPTS = 5
"""Failed attempts within the window for one name from one address."""
ATTEMPTS_OF_ADDRESS = 25
WINDOW_S = 60.0
MOST_KEYS = 10_000


class TooMany(Busy):
    """Too many attempts or requests; `retry_after_s` tells when to come back."""

    code = "too_many"
    http_status = 429


class Attempts:
    """Failed attempts of the last minute, by key."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, key: str, limit: int) -> None:
        """Raise `TooMany` when `key` has failed `limit` times within the window."""
        found = self._failed.get(key)
        since = self._clock() - WINDOW_S
        while found and found[0] <= since:
            found.popleft()
        if found and len(found) >= limit:
            wait = max(1.0, found[0] - since)
            line = f"too many attempts; try again in {math.ceil(wait)} s"
            raise TooMany(line, retry_after_s=wait)

    def fail(self, key: str) -> None:
        """Count one failure."""
        found = self._failed.setdefault(key, deque(maxlen=ATTEMPTS_OF_ADDRESS))
        found.append(self._clock())
        self._failed.move_to_end(key)
        while len(self._failed) > MOST_KEYS:
            self._failed.popitem(last=False)

    def forgive(self, key: str) -> None:
        """Forget the failures of one that has come in."""
        self._failed.pop(key, None)


class Pace:
    """Requests a second of each caller: a bucket that holds two seconds' worth."""

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Take one; raise `TooMany` when the bucket of this caller is empty."""
        if not self._rate:
            return
        at = self._clock()
        left, before = self._left.get(caller, (2.0 * self._rate, at))
        left = min(2.0 * self._rate, left + (at - before) * self._rate)
        if left < 1:
            line = f"more than {self._rate} requests a second (SOVEREIGN_DASHBOARD__RATE)"
            raise TooMany(line, retry_after_s=1.0)
        self._left[caller] = (left - 1, at)
        self._left.move_to_end(caller)
        while len(self._left) > MOST_KEYS:
            self._left.popitem(last=False)
