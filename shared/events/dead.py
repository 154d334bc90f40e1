"""Letters that nobody could handle."""

from __future__ import annotations

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant, Reason


class DeadLetter(Body):
    """A message that was set aside: why, where from, and its payload as text (or base64)."""

    stream: str
    subject: str
    reason: Reason
    payload: str
    payload_encoding: str = "utf-8"
    seq: int | None = None
    stored_at: Instant | None = None
    deliveries: int | None = None
    consumer: str | None = None
    by: str = ""
    at: Instant = Field(default_factory=now)
