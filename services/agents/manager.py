"""The manager: brings each task forward from what its journal says, and keeps nothing in memory.

Every move is a fenced append followed by messages that are stored once however often they are
sent, so any move may be repeated by another manager after a crash.
"""

from __future__ import annotations

from collections.abc import Collection

from services.agents.closing import close
from services.agents.decide import Finish, Next, decide
from services.agents.dispatch import dispatch
from services.agents.gate import Gate
from services.agents.planner import Planner
from services.agents.record import StepRecord, TaskRecord
from services.agents.room import Room
from shared.clock import now
from shared.errors import Conflict, InvalidInput, Unavailable
from shared.events.base import Reason
from shared.events.journal import StepWaiting, TaskFinished
from shared.events.tasks import TaskState
from shared.work import reason_of

ROUNDS = 50
"""Moves and lost races for one message before it is given back."""


class Manager:
    """Brings tasks forward."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.gate = Gate(room)
        self._planner = Planner(room)

    async def advance(self, record: TaskRecord, only: Collection[str] | None = None) -> None:
        """Do all that can be done for a task now; `only` limits which steps are handed out.

        Without `only` everything that is ready is handed out again, which the server's
        duplicate window makes harmless: this is how a crash is healed.
        """
        lost = 0
        for _ in range(ROUNDS):
            try:
                after = await self._move(record, only)
            except Conflict:
                lost += 1
                read = self.room.journal.read if lost == 1 else self.room.journal.reread
                record = await read(record.task_id)
                continue
            if after is None:
                return
            record = after
        raise Unavailable(f"{record.task_id}: too many writers at the same time")

    async def fail(self, task_id: str, reason: Reason) -> None:
        """End a task as failed, whatever it was at; an unknown or ended task is left alone."""
        record = await self.room.journal.find(task_id)
        while record is not None and record.end is None:
            try:
                record = await self._end(record, Finish(TaskState.FAILED, reason))
            except Conflict:
                record = await self.room.journal.reread(task_id)
        if record is not None:
            await self._close(record)

    async def _close(self, record: TaskRecord) -> None:
        """Give the final result; then bring forward the tasks that wait for this one."""
        await close(self.room, record)
        for name in record.dependants:
            other = await self.room.journal.find(name)
            if other is not None and other.end is None and other.waiting is not None:
                await self.advance(other)

    async def _move(self, record: TaskRecord, only: Collection[str] | None) -> TaskRecord | None:
        """Make one move; return the record to go on with, or None when there is no more to do."""
        if record.end is not None:
            await self._close(record)
            return None
        move = decide(record, now(), self.room.guarded)
        if move.finish is not None:
            return await self._end(record, move.finish)
        if record.waiting is not None and only is None:
            settled = await self.gate.settle(record)
            if settled.seq != record.seq:
                return settled
        if move.plan:
            return await self._plan(record)
        return await self._hand_out(record, move, only)

    async def _plan(self, record: TaskRecord) -> TaskRecord | None:
        """Plan, unless the task has to wait first or is taken back meanwhile."""
        held = await self.gate.hold(record)
        if held is not None:
            return held
        with self.room.running.hold(record.task_id):
            try:
                return await self._planner.plan(record)
            except InvalidInput as error:
                return await self._end(record, Finish(TaskState.FAILED, reason_of(error)))
        return await self.room.journal.taken_back(record.task_id)

    async def _hand_out(
        self, record: TaskRecord, move: Next, only: Collection[str] | None
    ) -> TaskRecord | None:
        for step in move.ask:
            record = await self._ask(record, step)
        wanted = [step for step in move.dispatch if only is None or step.step.id in only]
        await dispatch(self.room.bus, record, wanted)
        if only is None:
            await self._enter_waiting(record)
        if only is None or move.ask:
            await self.room.views.store(record)
        self.room.views.show(record)
        await self.room.live.task(record)
        return None

    async def _ask(self, record: TaskRecord, step: StepRecord) -> TaskRecord:
        """Have the step wait for a person."""
        name = step.step.id
        reason = Reason(code="approval", message=f"{step.step.agent} waits for a person's word")
        entry = StepWaiting(
            step_id=name, attempt=step.attempt, reason=reason, by=self.room.instance
        )
        record = await self.room.journal.append(record, entry)
        await self.room.waiting.step(record, record.steps[name])
        return record

    async def _enter_waiting(self, record: TaskRecord) -> None:
        """Enter again what waits, in case a crash came between journal and list."""
        for step in record.steps.values():
            if step.state is TaskState.WAITING:
                await self.room.waiting.step(record, step)

    async def _end(self, record: TaskRecord, finish: Finish) -> TaskRecord:
        entry = TaskFinished(
            state=finish.state,
            reason=finish.reason,
            model_slots=self.room.routers.slots,
            by=self.room.instance,
        )
        return await self.room.journal.append(record, entry)
