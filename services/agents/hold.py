"""What a worker has of the step that it owns: the right to write of it, and the latest record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.agents.crew import AgentSpec
from services.agents.journal import Stale
from services.agents.record import StepRecord, TaskRecord
from shared.events.journal import AnyEntry

if TYPE_CHECKING:
    from services.agents.room import Room


class Hold:
    """One worker's hold of one step: `owner` is the sequence of its `step_started` entry."""

    def __init__(self, room: Room, spec: AgentSpec, step_id: str, owner: int | None) -> None:
        self.room = room
        self.spec = spec
        self.step_id = step_id
        self._owner = owner
        self.record: TaskRecord

    @property
    def step(self) -> StepRecord:
        """Return the step as the latest record has it."""
        return self.record.steps[self.step_id]

    def entitled(self, record: TaskRecord) -> bool:
        """Tell whether this worker still owns its step."""
        return record.end is None and record.steps[self.step_id].owner == self._owner

    def check(self) -> None:
        """Raise `Stale` when the step is not ours any more."""
        if not self.entitled(self.record):
            raise Stale(self.record.task_id)

    def key(self, name: str) -> str:
        """Return the journal's key of an answer or a call of the present work."""
        return f"{self.step.base}.{name}"

    async def write(self, entry: AnyEntry) -> None:
        """Append to the journal, or raise `Stale`; what others wrote meanwhile is taken in."""
        self.record = await self.room.journal.insist(self.record, entry, self.entitled)
