"""Results of steps on the stream RESULTS: each moves its task forward."""

from __future__ import annotations

from nats.aio.msg import Msg

from services.agents.closing import CREW
from services.agents.decide import decide
from services.agents.manager import Manager
from services.agents.record import TaskRecord
from shared.bus import decode
from shared.clock import now
from shared.errors import InvalidInput, Unavailable
from shared.events.tasks import StepResult


class Returns:
    """Takes messages of the stream RESULTS."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._room = manager.room

    async def take(self, message: Msg) -> None:
        """Bring the task of one result forward."""
        if message.subject.split(".")[-2] == CREW:
            return
        result = decode(message.data, StepResult)
        again = message.metadata.num_delivered > 1
        record = await self._record(result, again)
        behind = {n for n, s in record.steps.items() if result.step_id in s.step.depends_on}
        await self._manager.advance(record, only=None if again else behind)

    async def _record(self, result: StepResult, again: bool) -> TaskRecord:
        """Return the task's record with the step's end in it.

        What is remembered is good enough when it ends the task, since that is a fenced append;
        else the journal is read, so that of two ends of steps at least one sees both.
        """
        record = await self._room.journal.recent(result.task_id)
        if again or record is None or not _ends(record, result):
            record = await self._room.journal.find(result.task_id)
        step = record.steps.get(result.step_id) if record else None
        if record is None or step is None:
            raise InvalidInput(f"no step {result.step_id} in {result.task_id}", field="step_id")
        if step.attempt < result.attempt or (step.attempt == result.attempt and not step.ended):
            raise Unavailable(f"{result.task_id}: the journal is not yet at this result")
        return record


def _ends(record: TaskRecord, result: StepResult) -> bool:
    """Tell whether the record has the step's end, and the whole task ends with it."""
    step = record.steps.get(result.step_id)
    if step is None or not step.ended or step.attempt < result.attempt:
        return False
    return decide(record, now()).finish is not None
