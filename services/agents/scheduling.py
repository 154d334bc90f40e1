"""What the server hands in when its time has come: each firing is one task, however delivered."""

from __future__ import annotations

from nats.aio.msg import Msg

from shared.bus import Bus, decode
from shared.events.schedules import ScheduledTask
from shared.events.tasks import Priority
from shared.subjects import task_request


class Schedules:
    """Takes messages of the stream SCHEDULES."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def take(self, message: Msg) -> None:
        """Submit the task of one firing; its id tells the schedule and the firing's instant.

        The instant is when the server stored this very message, the same for each delivery.
        """
        due = decode(message.data, ScheduledTask)
        task = due.task(message.metadata.timestamp)
        subject = task_request(task.priority or Priority.NORMAL)
        await self._bus.publish(subject, task, str(task.task_id))
