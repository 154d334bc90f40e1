"""A stored message as a fact: parsed, and refused when it is not what its subject says."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bus import decode
from shared.errors import InvalidInput
from shared.events import SessionEvent, StoredEvent
from shared.reading import Stored
from shared.subjects import session_event


@dataclass(frozen=True)
class Fact:
    """One event, its stream sequence, and the bytes as they were stored."""

    seq: int
    event: SessionEvent
    data: bytes


def fact(stored: Stored) -> Fact:
    """Return the fact inside a stored message; raise `InvalidInput` when there is none."""
    event = decode(stored.data, SessionEvent)
    if session_event(event.session_id) != stored.subject:
        raise InvalidInput(f"session_id does not fit {stored.subject}", field="session_id")
    return Fact(stored.seq, event, stored.data)


def stored_event(seq: int, data: bytes) -> StoredEvent:
    """Return the event with its sequence, as readers get it."""
    event = SessionEvent.model_validate_json(data)
    return StoredEvent.model_construct(**dict(event), seq=seq)
