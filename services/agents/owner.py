"""A worker that owns a step: it alone may write of it, until it ends, waits, or is given back."""

from __future__ import annotations

import math
import time

import anyio

from services.agents.crew import AgentSpec
from services.agents.decide import exhausted
from services.agents.ending import Ending, ended, outcome, publish_result
from services.agents.perform import Performer
from services.agents.record import TaskRecord
from services.agents.room import Room
from services.agents.tools.tool import NeedsPerson
from shared.clock import now
from shared.errors import Cancelled, NeedsModel
from shared.events.base import Reason
from shared.events.journal import StepEnded, StepReleased, StepWaiting
from shared.events.tasks import RunStep, StepResult, TaskState
from shared.work import reason_of

LATE = Reason(code="deadline", message="the time for this task is over", field="deadline")


class Owner:
    """Owns `command`'s step by the start with sequence `owner`; every write is fenced by that.

    All methods raise `Stale` when a newer worker has the step.
    """

    def __init__(self, room: Room, spec: AgentSpec, command: RunStep, owner: int | None) -> None:
        self._room = room
        self._command = command
        self._performer = Performer(room, spec, command.step_id, owner)
        self._entitled = self._performer.entitled

    async def work(self, record: TaskRecord) -> StepResult | None:
        """Do the step; return its result, or None when it waits for a model or a person now."""
        await self._show(record)
        started = time.monotonic()
        ending = await self._ending(record)
        if isinstance(ending.error, NeedsModel | NeedsPerson):
            await self._wait(record, ending.error)
            return None
        return await self.end(record, ending, time.monotonic() - started)

    async def end(self, record: TaskRecord, ending: Ending, seconds: float = 0.0) -> StepResult:
        """End the step: first in the journal, then with its result on the bus."""
        record = await self._room.journal.recent(record.task_id) or record
        result = ended(record, self._command, ending, seconds)
        kind = "step_finished" if result.state is TaskState.DONE else "step_failed"
        entry = StepEnded.model_validate(
            {"kind": kind, "result": result, "by": self._room.instance}
        )
        record = await self._room.journal.insist(record, entry, self._entitled)
        await publish_result(self._room.bus, result)
        await self._show(record)
        return result

    async def release(self, record: TaskRecord) -> None:
        """Give the step back, so that its start is not counted as a death."""
        step = record.steps[self._command.step_id]
        entry = StepReleased(
            step_id=self._command.step_id, attempt=step.attempt, by=self._room.instance
        )
        await self._room.journal.insist(record, entry, self._entitled)

    async def _ending(self, record: TaskRecord) -> Ending:
        """Return how the work came out: an output, or a typed error."""
        ending = Ending()
        with (
            self._room.running.hold(record.task_id) as taken_back,
            anyio.move_on_after(_seconds_left(record)) as late,
        ):
            ending = await outcome(self._performer, record)
        if taken_back.cancelled_caught:
            await self._room.journal.taken_back(record.task_id)
            return Ending(error=Cancelled("taken back by a person"))
        if late.cancelled_caught:
            return Ending(reason=exhausted(record, now()) or LATE)
        return ending

    async def _wait(self, record: TaskRecord, error: NeedsModel | NeedsPerson) -> None:
        """Have the step wait for a model or a person; it holds no worker meanwhile."""
        entry = StepWaiting(
            step_id=self._command.step_id,
            attempt=self._command.attempt,
            reason=reason_of(error),
            by=self._room.instance,
        )
        record = await self._room.journal.insist(record, entry, self._entitled)
        await enter_waiting(self._room, record, self._command.step_id)
        await self._show(record)

    async def _show(self, record: TaskRecord) -> None:
        self._room.views.show(record)
        await self._room.live.step(record, record.steps[self._command.step_id])


async def enter_waiting(room: Room, record: TaskRecord, step_id: str) -> None:
    """Enter a waiting step in the list and show it at once; safe to repeat."""
    await room.waiting.step(record, record.steps[step_id])
    await room.views.store(record)


def _seconds_left(record: TaskRecord) -> float:
    deadline = record.deadline
    return math.inf if deadline is None else max(0.0, (deadline - now()).total_seconds())
