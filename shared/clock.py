"""Instants in UTC; durations come from `time.monotonic`, never from here."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant with its zone, UTC."""
    return datetime.now(UTC)


def stamp(at: datetime) -> str:
    """Return the instant in UTC, always of the same length, so that texts compare as times."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
