"""How well an instance answers: its beats' counters, half a minute at a time. Pure."""

from __future__ import annotations

from collections import deque
from typing import Any

from shared.events.health import Beat

WINDOW = 31
"""Beats of which the first and the last are compared."""

LEAST_REQUESTS = 10
FAULTY = 0.5
"""Share of own faults among the requests from which a service counts as degraded."""

SLOWER = 10.0
SLOW_S = 1.0
"""Requests are slow when they take so many times longer than usual, and longer than this."""

USUAL = 0.1
"""Weight of a new window in what is usual (exponentially weighted mean)."""

LEARNT = 3
"""Windows after which it is known what is usual."""


class Answering:
    """Takes beats of one boot; tells what is wrong with the answers, if anything."""

    def __init__(self) -> None:
        self._beats: deque[Beat] = deque(maxlen=WINDOW)
        self._usual_s = 0.0
        self._windows = 0
        self._learnt_at = 0

    def take(self, beat: Beat) -> None:
        """Add one beat; learn what is usual once a window, unless it is slow."""
        self._beats.append(beat)
        self._learnt_at += 1
        if self._learnt_at >= WINDOW and self.requests >= LEAST_REQUESTS and not self.slow():
            self._learnt_at = 0
            weight = USUAL if self._windows else 1.0
            self._usual_s += weight * (self._mean_s() - self._usual_s)
            self._windows += 1

    @property
    def requests(self) -> int:
        """How many were answered in the window."""
        return self._grown("requests")

    def faulty(self) -> dict[str, Any] | None:
        """Return the evidence when most answers are the service's own faults."""
        requests, faults = self.requests, self._grown("faults")
        if requests < LEAST_REQUESTS or faults < FAULTY * requests:
            return None
        return {"requests": requests, "faults": faults}

    def slow(self) -> dict[str, Any] | None:
        """Return the evidence when answers take far longer than is usual for this service."""
        if self.requests < LEAST_REQUESTS or self._windows < LEARNT:
            return None
        mean_s = self._mean_s()
        if mean_s < SLOW_S or mean_s < SLOWER * self._usual_s:
            return None
        usual = round(self._usual_s, 4)
        return {"requests": self.requests, "mean_s": round(mean_s, 4), "usual_s": usual}

    def forget(self) -> None:
        """Look only at what comes from now on, after a remedy; what is usual stays known."""
        self._beats.clear()

    def _mean_s(self) -> float:
        return (self._beats[-1].busy_s - self._beats[0].busy_s) / max(1, self.requests)

    def _grown(self, name: str) -> int:
        if not self._beats:
            return 0
        return int(getattr(self._beats[-1], name) - getattr(self._beats[0], name))
