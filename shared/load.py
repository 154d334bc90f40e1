"""How this process answers: requests, its own faults, those of what it leans on, seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from shared.errors import SovereignError

UPSTREAM = frozenset({"engine_failed", "unavailable", "timed_out", "needs_model", "model_missing"})
"""Codes that tell of something else being away: no restart of this process would help."""


@dataclass
class Leant:
    """Seconds of one request that were spent on something else; several waits at once are one."""

    clock: Callable[[], float] = time.monotonic
    seconds: float = 0.0
    waits: int = 0
    since: float = 0.0

    def begin(self) -> None:
        """Begin a wait."""
        if not self.waits:
            self.since = self.clock()
        self.waits += 1

    def end(self) -> None:
        """End a wait."""
        self.waits -= 1
        if not self.waits:
            self.seconds += self.clock() - self.since


_leant: ContextVar[Leant | None] = ContextVar("leant", default=None)


class Load:
    """Counts since the start of the process; whoever reads it takes differences."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.requests = 0
        self.faults = 0
        self.upstream_faults = 0
        self.busy_s = 0.0

    @contextmanager
    def one_request(self) -> Iterator[None]:
        """Count one request, whatever becomes of it; seconds of `leaning` are not its own."""
        other, began = Leant(self._clock), self._clock()
        token = _leant.set(other)
        try:
            yield
        finally:
            _leant.reset(token)
            self.requests += 1
            self.busy_s += max(0.0, self._clock() - began - other.seconds)

    def failed(self, error: SovereignError) -> None:
        """Count a failure that was not the asker's own fault."""
        if error.code in UPSTREAM:
            self.upstream_faults += 1
        elif error.code == "internal":
            self.faults += 1


def leant() -> Leant | None:
    """Return what the request in hand spent on something else; None outside of a request."""
    return _leant.get()


@contextmanager
def leaning() -> Iterator[None]:
    """Wait in here for a model or another service: this process is not slow when they are."""
    wait = _leant.get() or Leant()
    wait.begin()
    try:
        yield
    finally:
        wait.end()


LOAD = Load()
"""The one of this process."""
