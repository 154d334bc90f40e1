"""The KV bucket `waiting`: which steps wait, for whom, since when."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from nats.js.errors import NotFoundError
from nats.js.kv import KeyValue

from services.agents.record import StepRecord, TaskRecord
from shared.bus import Bus, decode, encode
from shared.errors import InvalidInput
from shared.events.tasks import WaitingStep
from shared.reading import Stored, read_subject
from shared.streams import WAITING

WHOLE_TASK = "_task"
"""Stands for the step id when the whole task waits."""
_STREAM = f"KV_{WAITING.name}"
_PREFIX = f"$KV.{WAITING.name}."


@dataclass(frozen=True)
class Waiter:
    """One entry: whose, and why."""

    task_id: str
    step_id: str
    entry: WaitingStep


class WaitingList:
    """Entries are put after the journal says so and taken out after the work goes on."""

    def __init__(self, bus: Bus, bucket: KeyValue) -> None:
        self._bus = bus
        self._bucket = bucket
        self._removed: set[str] = set()

    @classmethod
    async def open(cls, bus: Bus) -> WaitingList:
        """Return the list on a bucket that exists."""
        return cls(bus, await bus.js.key_value(WAITING.name))

    async def step(self, record: TaskRecord, step: StepRecord) -> None:
        """Enter a waiting step."""
        if step.waiting is None:
            return
        entry = WaitingStep(
            reason=step.waiting.code,
            message=step.waiting.message,
            since=step.waiting_since or record.updated_at,
            attempt=step.attempt,
            deadline=record.deadline,
        )
        await self._put(record.task_id, step.step.id, entry)

    async def task(self, record: TaskRecord, until: datetime | None = None) -> None:
        """Enter a whole task."""
        if record.waiting is None:
            return
        entry = WaitingStep(
            reason=record.waiting.code,
            message=record.waiting.message,
            since=record.updated_at,
            until=until,
            deadline=record.deadline,
        )
        await self._put(record.task_id, WHOLE_TASK, entry)

    async def remove(self, task_id: str, step_id: str = WHOLE_TASK) -> None:
        """Take an entry out."""
        await self._bucket.delete(f"{task_id}.{step_id}")

    async def clear(self, record: TaskRecord) -> None:
        """Take out everything of a task that has ended; costs nothing where nothing waited."""
        waited = [n for n, s in record.steps.items() if s.waiting_since is not None]
        waited += [WHOLE_TASK] if record.waited else []
        await asyncio.gather(*(self.remove(record.task_id, name) for name in waited))

    async def all(self) -> list[Waiter]:
        """Return all entries in one request; markers of removed ones are cleared away."""
        stored = await read_subject(self._bus, _STREAM, f"{_PREFIX}>")
        await self._forget({each.subject for each in stored if not each.data})
        return [waiter for each in stored if (waiter := _waiter(each)) is not None]

    async def _forget(self, markers: set[str]) -> None:
        """Purge deletion markers that were there at the last look too: watchers have seen them."""
        for subject in markers & self._removed:
            try:
                await self._bus.js.purge_stream(_STREAM, subject=subject)
            except NotFoundError:
                continue
        self._removed = markers

    async def _put(self, task_id: str, step_id: str, entry: WaitingStep) -> None:
        await self._bucket.put(f"{task_id}.{step_id}", encode(entry))


def _waiter(stored: Stored) -> Waiter | None:
    task_id, _, step_id = stored.subject.removeprefix(_PREFIX).partition(".")
    if not stored.data or not step_id:
        return None
    try:
        return Waiter(task_id, step_id, decode(stored.data, WaitingStep))
    except InvalidInput:
        return None
