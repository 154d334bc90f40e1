"""Results on the stream RESULTS: a step's end moves its task, a task's end frees others."""

from __future__ import annotations

from nats.aio.msg import Msg

from services.agents.closing import CREW
from services.agents.manager import Manager
from shared.bus import decode
from shared.errors import InvalidInput, Unavailable
from shared.events.tasks import StepResult


class Returns:
    """Takes messages of the stream RESULTS."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._room = manager.room

    async def take(self, message: Msg) -> None:
        """Bring the task of one result forward."""
        agent, task_id = message.subject.split(".")[-2:]
        if agent == CREW:
            await self._release_dependants(task_id)
        else:
            await self._step_ended(message)

    async def _step_ended(self, message: Msg) -> None:
        result = decode(message.data, StepResult)
        record = await self._room.journal.find(result.task_id)
        step = record.steps.get(result.step_id) if record else None
        if record is None or step is None:
            raise InvalidInput(f"no step {result.step_id} in {result.task_id}", field="step_id")
        if step.attempt < result.attempt or (step.attempt == result.attempt and not step.ended):
            raise Unavailable(f"{result.task_id}: the journal is not yet at this result")
        behind = {n for n, s in record.steps.items() if result.step_id in s.step.depends_on}
        again = message.metadata.num_delivered > 1
        await self._manager.advance(record, only=None if again else behind)

    async def _release_dependants(self, task_id: str) -> None:
        record = await self._room.journal.find(task_id)
        for name in record.dependants if record else ():
            other = await self._room.journal.find(name)
            if other is not None and other.end is None and other.waiting is not None:
                await self._manager.advance(other)
