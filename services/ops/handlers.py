"""What ops hears: beats and entries of the record, both on core subjects, by FastStream."""

from __future__ import annotations

import logging
from typing import Any

from faststream.nats import NatsBroker, NatsMessage

from services.ops.room import Room
from shared.bus import decode
from shared.errors import InvalidInput
from shared.events.health import Beat

log = logging.getLogger(__name__)


def register(broker: NatsBroker, room: Room) -> None:
    """Subscribe the room's ears; the broker is started afterwards."""

    @broker.subscriber("health.beat.*.*", decoder=_addressed)
    async def hear_beat(sent: Any) -> None:
        beat = honest_beat(*sent)
        if beat is None:
            room.refuse(sent[0])
        else:
            room.hear(beat)

    @broker.subscriber("ops.event.*", decoder=_addressed)
    async def hear_event(sent: Any) -> None:
        room.history.take(sent[1])


async def _addressed(message: NatsMessage) -> tuple[str, bytes]:
    """Return subject and body as they came: bad JSON is judged by the handler, and never raises.

    A handler that asks for the message itself costs a trip to a thread for each one.
    """
    return message.raw_message.subject, message.body


def honest_beat(subject: str, data: bytes) -> Beat | None:
    """Return the beat, or None when it is malformed or names another sender than its subject."""
    try:
        beat = decode(data, Beat)
    except InvalidInput:
        return None
    return beat if subject == f"health.beat.{beat.service}.{beat.instance}" else None
