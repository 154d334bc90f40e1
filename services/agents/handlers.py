"""Events that agents hear on core subjects: routers' beats, and people's word to stop."""

from __future__ import annotations

from typing import TypeVar

from faststream.nats import NatsBroker
from faststream.nats.annotations import NatsMessage
from pydantic import ValidationError

from services.agents.room import Room
from shared.events.health import Beat
from shared.events.tasks import TaskControl
from shared.subjects import task_control

Kind = TypeVar("Kind", Beat, TaskControl)


def listen(broker: NatsBroker, room: Room) -> None:
    """Register the handlers; a body that does not fit is another consumer's matter."""

    @broker.subscriber("health.beat.router.*")
    async def on_beat(message: NatsMessage) -> None:
        beat = _read(message.body, Beat)
        if beat is not None:
            room.routers.hear(beat)

    @broker.subscriber("task.control.*")
    async def on_control(message: NatsMessage) -> None:
        control = _read(message.body, TaskControl)
        if control is None or message.raw_message.subject != task_control(control.task_id):
            return
        if control.action == "cancel":
            room.running.cancel(control.task_id)


def _read(data: bytes, kind: type[Kind]) -> Kind | None:
    try:
        return kind.model_validate_json(data)
    except ValidationError:
        return None
