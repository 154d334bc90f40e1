"""What ops hears: beats and entries of the record, both on core subjects, by FastStream."""

from __future__ import annotations

import logging

from faststream.nats import NatsBroker, NatsMessage

from services.ops.room import Room
from shared.bus import decode
from shared.errors import InvalidInput
from shared.events.health import Beat

log = logging.getLogger(__name__)


def register(broker: NatsBroker, room: Room) -> None:
    """Subscribe the room's ears; the broker is started afterwards."""

    @broker.subscriber("health.beat.*.*", decoder=_untouched)
    async def hear_beat(message: NatsMessage) -> None:
        beat = honest_beat(message.raw_message.subject, message.body)
        if beat is None:
            room.instances.refused += 1
        else:
            room.hear(beat)

    @broker.subscriber("ops.event.*", decoder=_untouched)
    async def hear_event(message: NatsMessage) -> None:
        room.history.take(message.body)


async def _untouched(message: NatsMessage) -> bytes:
    """Leave the body as it came: bad JSON is judged by the handler, and never raises."""
    return message.body


def honest_beat(subject: str, data: bytes) -> Beat | None:
    """Return the beat, or None when it is malformed or names another sender than its subject."""
    try:
        beat = decode(data, Beat)
    except InvalidInput:
        return None
    return beat if subject == f"health.beat.{beat.service}.{beat.instance}" else None
