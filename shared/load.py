"""How this process answers: requests, its own faults, those of what it leans on, seconds."""

from __future__ import annotations

from shared.errors import SovereignError

UPSTREAM = frozenset({"engine_failed", "unavailable", "timed_out", "needs_model", "model_missing"})
"""Codes that tell of something else being away: no restart of this process would help."""


class Load:
    """Counts since the start of the process; whoever reads it takes differences."""

    def __init__(self) -> None:
        self.requests = 0
        self.faults = 0
        self.upstream_faults = 0
        self.busy_s = 0.0

    def answered(self, took_s: float) -> None:
        """Count one request, whatever became of it."""
        self.requests += 1
        self.busy_s += took_s

    def failed(self, error: SovereignError) -> None:
        """Count a failure that was not the asker's own fault."""
        if error.code in UPSTREAM:
            self.upstream_faults += 1
        elif error.code == "internal":
            self.faults += 1


LOAD = Load()
"""The one of this process."""
