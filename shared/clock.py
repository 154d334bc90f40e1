"""Instants in UTC; durations come from `time.monotonic`, never from here."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant with its zone, UTC."""
    return datetime.now(UTC)
