"""The end of a task: one final result, stored once for each run, however often this is repeated."""

from __future__ import annotations

from services.agents.record import TaskRecord
from services.agents.room import Room
from services.agents.summary import result_of
from shared.bus import Bus, decode
from shared.errors import Conflict, InvalidInput
from shared.events.tasks import TaskResult
from shared.reading import last_of
from shared.subjects import agent_result

STREAM = "RESULTS"
CREW = "crew"
LONGEST_ANSWER = 400_000
"""Characters of the answer in a result that had to be made smaller."""


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
    name = f"{result.task_id}.final.{result.run}"
    try:
        await bus.publish(subject, result, name, expected_seq=after)
    except Conflict:
        return
    except InvalidInput:
        await bus.publish(subject, slim(result), name, expected_seq=after)


def slim(result: TaskResult) -> TaskResult:
    """Return a result that is too large for one message without the outputs of its steps."""
    steps = [step.model_copy(update={"output": "", "data": None}) for step in result.steps]
    notice = "the outputs of the steps are in the task's journal"
    return result.model_copy(
        update={
            "steps": tuple(steps),
            "data": None,
            "answer": result.answer[:LONGEST_ANSWER],
            "notice": " · ".join(filter(None, (result.notice, notice))),
        }
    )
