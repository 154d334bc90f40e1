"""Looking after what waits: steps for a model, tasks for a time, and those whose time is over."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from nats.errors import Error as NatsError

from services.agents.dispatch import dispatch
from services.agents.gate import NOT_BEFORE
from services.agents.manager import Manager
from services.agents.record import TaskRecord
from services.agents.waiting import WHOLE_TASK, Waiter
from shared.clock import now
from shared.errors import Conflict, SovereignError
from shared.events.journal import StepResumed
from shared.events.tasks import TaskState

log = logging.getLogger(__name__)

EVERY_S = 2.0
NEEDS_MODEL = "needs_model"
LONGEST_PAUSE_S = 60.0
"""A step that finds no model again and again is tried less and less often, up to this."""


class Sweeper:
    """Looks at the list of waiters now and then, and at once when a model appears."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._room = manager.room

    async def run(self) -> None:
        """Look until cancelled; trouble with the bus is logged and looked past."""
        changed = self._room.routers.changed
        while True:
            try:
                await self.look()
            except (SovereignError, NatsError, TimeoutError) as error:
                log.warning("waiting steps could not be looked at: %s", error)
            try:
                async with asyncio.timeout(EVERY_S):
                    await changed.wait()
            except TimeoutError:
                continue
            changed.clear()

    async def look(self) -> None:
        """Look at every waiter once."""
        for waiter in await self._room.waiting.all():
            try:
                await self._look_at(waiter, now())
            except Conflict:
                await self._room.journal.reread(waiter.task_id)

    async def _look_at(self, waiter: Waiter, at: datetime) -> None:
        entry = waiter.entry
        if entry.deadline is not None and at >= entry.deadline:
            await self._on(waiter)
        elif entry.reason == NEEDS_MODEL and self._room.routers.model_ready:
            if (at - entry.since).total_seconds() >= _pause(entry.attempt):
                await self._resume(waiter)
        elif entry.reason == NOT_BEFORE and entry.until is not None and at >= entry.until:
            await self._on(waiter)

    async def _on(self, waiter: Waiter) -> None:
        """Bring the task forward: its own time decides."""
        record = await self._room.journal.find(waiter.task_id)
        if record is not None:
            await self._manager.advance(record)
        if record is None or record.end is not None or not _waits(record, waiter.step_id):
            await self._room.waiting.remove(waiter.task_id, waiter.step_id)

    async def _resume(self, waiter: Waiter) -> None:
        """Let a step go on as its next attempt; a crash in here is healed by the next look."""
        record = await self._room.journal.find(waiter.task_id)
        if record is not None and record.end is None and waiter.step_id in record.steps:
            record = await self._resumed(record, waiter.step_id)
            step = record.steps[waiter.step_id]
            if step.state is TaskState.QUEUED:
                await dispatch(self._room.bus, record, [step])
                self._room.views.show(record)
        await self._room.waiting.remove(waiter.task_id, waiter.step_id)

    async def _resumed(self, record: TaskRecord, name: str) -> TaskRecord:
        step = record.steps[name]
        if step.waiting is None or step.waiting.code != NEEDS_MODEL:
            return record
        entry = StepResumed(step_id=name, attempt=step.attempt + 1, by=self._room.instance)
        return await self._room.journal.append(record, entry)


def _waits(record: TaskRecord, step_id: str) -> bool:
    if step_id == WHOLE_TASK:
        return record.waiting is not None
    step = record.steps.get(step_id)
    return step is not None and step.waiting is not None


def _pause(attempt: int) -> float:
    """Return how long attempt `attempt` waits at least, in seconds."""
    return float(min(2 ** (attempt - 1), LONGEST_PAUSE_S)) if attempt > 1 else 0.0
