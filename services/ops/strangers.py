"""Beats that are refused: recorded, but never more often than once a minute."""

from __future__ import annotations

import time

from services.ops.record import Record

EVERY_S = 60.0
SHOWN_CHARS = 200


class Strangers:
    """Counts refusals between two entries of the record."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._told_at = -EVERY_S
        self._count = 0

    def refused(self, who: str) -> None:
        """Take one refusal; `who` is what it said of itself."""
        self._count += 1
        present = time.monotonic()
        if present - self._told_at < EVERY_S:
            return
        cause = f"beats of strangers, the last one of {who[:SHOWN_CHARS]}"
        self._record.tell("refused", cause=cause, evidence={"count": self._count})
        self._told_at, self._count = present, 0
