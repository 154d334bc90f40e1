"""Keeps requests from a host that fails: open after failures, then one trial at a time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Literal

from shared.errors import EngineFailed, TimedOut, Unavailable

State = Literal["closed", "open", "half_open"]

FAULTS = (EngineFailed, TimedOut, Unavailable)
"""Errors that speak against who was asked; others are the caller's, the model's, or pass (busy)."""
FAILURES = 3
"""In a row; a refused connection needs only one."""
FIRST_S = 1.0
LONGEST_S = 60.0


class Circuit:
    """Closed: all go. Open: none, for 1 s x 2^n with jitter. Half open: one trial decides."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._openings = 0
        self._until = 0.0
        self._trial = False

    @property
    def state(self) -> State:
        """What the circuit is now."""
        if not self._openings:
            return "closed"
        return "open" if self._clock() < self._until else "half_open"

    @property
    def allows(self) -> bool:
        """Whether a request may go now."""
        return self.state == "closed" or (self.state == "half_open" and not self._trial)

    @property
    def opens_in_s(self) -> float:
        """Seconds until the next trial."""
        return max(0.0, self._until - self._clock())

    def begin(self) -> None:
        """A request goes."""
        self._trial = self.state != "closed"

    def succeeded(self) -> None:
        """It was answered: all may go."""
        self._failures = self._openings = 0
        self._trial = False

    def failed(self, at_once: bool = False) -> None:
        """It failed by the host's fault; `at_once` when nobody listens there."""
        self._failures += 1
        if at_once or self._trial or self._failures >= FAILURES:
            self._open()
        self._trial = False

    def ended(self, error: BaseException) -> bool:
        """Learn from how a request failed; tell whether that speaks against who was asked."""
        if not isinstance(error, FAULTS):
            self.undecided()
            return False
        self.failed(at_once=isinstance(error, Unavailable))
        return True

    def undecided(self) -> None:
        """It ended for a reason that says nothing about the host."""
        self._trial = False

    def try_again(self) -> None:
        """The host answers probes: let the next request be the trial."""
        self._until = min(self._until, self._clock())

    def _open(self) -> None:
        pause_s = min(LONGEST_S, FIRST_S * 2.0**self._openings)
        self._until = self._clock() + pause_s * random.uniform(0.5, 1.0)
        self._openings = min(self._openings + 1, 10)
