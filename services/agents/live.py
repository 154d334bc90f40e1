"""What watchers of a running task hear on `task.live.<task_id>`: states, and text as it comes."""

from __future__ import annotations

import asyncio
import contextlib

from nats.errors import Error as NatsError

from services.agents.record import StepRecord, TaskRecord
from shared.bus import Bus
from shared.events.tasks import LiveUpdate, TaskState
from shared.subjects import task_live

COALESCE_S = 0.08
"""Seconds in which pieces of text are put together: a model sends fifty tokens a second."""


class Live:
    """Tells once, to whoever listens; nothing depends on it."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def task(self, record: TaskRecord) -> None:
        """Tell the task's present state."""
        await self._tell(LiveUpdate(task_id=record.task_id, kind="state", state=record.state))

    async def step(self, record: TaskRecord, step: StepRecord) -> None:
        """Tell one step's present state."""
        await self._tell(
            LiveUpdate(
                task_id=record.task_id,
                step_id=step.step.id,
                agent=step.step.agent,
                kind="state",
                state=step.state,
            )
        )

    def text(self, task_id: str, step_id: str, agent: str) -> TextStream:
        """Return where the text of a step goes piece by piece."""
        update = LiveUpdate(task_id=task_id, step_id=step_id, agent=agent, kind="text",
                            state=TaskState.RUNNING)  # fmt: skip
        return TextStream(self, update)

    async def _tell(self, update: LiveUpdate) -> None:
        with contextlib.suppress(NatsError):
            await self._bus.emit(task_live(update.task_id), update)


class TextStream:
    """Pieces of one step's text, put together for `COALESCE_S`. Use as an async context."""

    def __init__(self, live: Live, template: LiveUpdate) -> None:
        self._live = live
        self._template = template
        self._pieces: list[str] = []
        self._timer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> TextStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.wait([self._timer])
        await self._flush()

    def add(self, piece: str) -> None:
        """Take one piece; it is told with its neighbours."""
        self._pieces.append(piece)
        if self._timer is None or self._timer.done():
            self._timer = asyncio.create_task(self._later())

    async def _later(self) -> None:
        await asyncio.sleep(COALESCE_S)
        await self._flush()

    async def _flush(self) -> None:
        text, self._pieces = "".join(self._pieces), []
        if text:
            await self._live._tell(self._template.model_copy(update={"text": text}))
