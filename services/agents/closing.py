"""The end of a task: one final result, stored once for each run, however often this is repeated."""

from __future__ import annotations

from services.agents.record import TaskRecord
from services.agents.room import Room
from services.agents.summary import result_of
from shared.bus import Bus, decode
from shared.errors import Conflict
from shared.events.tasks import TaskResult
from shared.reading import last_of
from shared.subjects import agent_result

STREAM = "RESULTS"
CREW = "crew"


async def close(room: Room, record: TaskRecord) -> None:
    """Publish the result of a record that has ended and show its last state; safe to repeat."""
    await publish_once(room.bus, result_of(record))
    await room.views.store(record)
    await room.waiting.clear(record)
    await room.live.task(record)


async def publish_once(bus: Bus, result: TaskResult) -> None:
    """Store the final result unless one of the same run, or a later one, is there."""
    subject = agent_result(CREW, result.task_id)
    after = 0
    if result.run > 1:
        last = await last_of(bus, STREAM, subject)
        if last is not None and decode(last.data, TaskResult).run >= result.run:
            return
        after = last.seq if last else 0
    try:
        await bus.publish(
            subject, result, f"{result.task_id}.final.{result.run}", expected_seq=after
        )
    except Conflict:
        return
