"""What holds a whole task back before it is planned: a time, or other tasks."""

from __future__ import annotations

from services.agents.journal import Stale
from services.agents.record import TaskRecord
from services.agents.room import Room
from shared.clock import now
from shared.events.base import Reason
from shared.events.journal import DependantAdded, TaskFinished, TaskResumed, TaskWaiting
from shared.events.tasks import TaskState

NOT_BEFORE = "not_before"
DEPENDS_ON = "depends_on"


class Gate:
    """Holds tasks and lets them go; all of it in the journal."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def hold(self, record: TaskRecord) -> TaskRecord | None:
        """Return the record with what it waits for now, or None when nothing holds it."""
        request = record.request
        if request.not_before and request.not_before > now() and NOT_BEFORE not in record.waited:
            return await self._wait(record, NOT_BEFORE, f"not before {request.not_before}")
        if request.depends_on and DEPENDS_ON not in record.waited:
            return await self._wait(record, DEPENDS_ON, ", ".join(request.depends_on))
        return None

    async def settle(self, record: TaskRecord) -> TaskRecord:
        """Return the record after looking whether what it waits for is there; safe to repeat."""
        if record.waiting is None or record.end is not None:
            return record
        if record.waiting.code == DEPENDS_ON:
            return await self._look_at_others(record)
        until = record.request.not_before
        if until is None or until <= now():
            return await self._resume(record)
        await self._room.waiting.task(record, until)
        return record

    async def _wait(self, record: TaskRecord, code: str, message: str) -> TaskRecord:
        entry = TaskWaiting(
            reason=Reason(code=code, message=message, field=code), by=self._room.instance
        )
        return await self.settle(await self._room.journal.append(record, entry))

    async def _look_at_others(self, record: TaskRecord) -> TaskRecord:
        others = [await self._other(record, name) for name in record.request.depends_on]
        bad = next((o for o in others if o.end not in (None, TaskState.DONE)), None)
        if bad is not None:
            return await self._give_up(record, bad)
        if any(other.end is None for other in others):
            await self._room.waiting.task(record)
            return record
        return await self._resume(record)

    async def _other(self, record: TaskRecord, name: str) -> TaskRecord:
        """Return the other task; while it is open its journal says who waits for its end."""
        other = await self._room.journal.read(name)
        if other.end is not None or record.task_id in other.dependants:
            return other
        entry = DependantAdded(task_id=record.task_id, by=self._room.instance)
        try:
            return await self._room.journal.insist(other, entry, lambda r: r.end is None)
        except Stale:
            return await self._room.journal.read(name)

    async def _give_up(self, record: TaskRecord, other: TaskRecord) -> TaskRecord:
        reason = Reason(
            code="dependency_failed",
            message=f"task {other.task_id} is {other.end}",
            field=DEPENDS_ON,
        )
        entry = TaskFinished(state=TaskState.FAILED, reason=reason, by=self._room.instance)
        return await self._room.journal.append(record, entry)

    async def _resume(self, record: TaskRecord) -> TaskRecord:
        record = await self._room.journal.append(record, TaskResumed(by=self._room.instance))
        await self._room.waiting.remove(record.task_id)
        return record
