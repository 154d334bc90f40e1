"""CloudEvents attributes as message headers, so that bodies stay plain JSON.

Names follow the draft NATS binding in binary mode: `ce-id`, `ce-type`, `ce-source`, `ce-time`.
"""

from __future__ import annotations

from shared.clock import now
from shared.ids import ulid

MSG_ID = "Nats-Msg-Id"
EXPECTED_SUBJECT_SEQ = "Nats-Expected-Last-Subject-Sequence"
SPEC_VERSION = "1.0"


def cloud_event(kind: str, source: str, event_id: str | None = None) -> dict[str, str]:
    """Return the CloudEvents 1.0 attributes of one message; `source` is a URI reference."""
    return {
        "ce-specversion": SPEC_VERSION,
        "ce-id": event_id or ulid(),
        "ce-type": f"sovereign.{kind}.v1",
        "ce-source": source,
        "ce-time": now().isoformat(),
        "content-type": "application/json",
    }
