"""Handing steps to agents: one message a step and attempt, stored once however often it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from services.agents.record import StepRecord, TaskRecord
from shared.bus import Bus
from shared.events.tasks import RunStep
from shared.subjects import task_step


async def dispatch(bus: Bus, record: TaskRecord, steps: Iterable[StepRecord]) -> None:
    """Send `RunStep` for each step; safe to repeat."""
    await asyncio.gather(*(_send(bus, record, step) for step in steps))


async def _send(bus: Bus, record: TaskRecord, step: StepRecord) -> None:
    command = RunStep(
        task_id=record.task_id,
        step_id=step.step.id,
        agent=step.step.agent,
        attempt=step.attempt,
        priority=record.priority,
    )
    subject = task_step(step.step.agent, record.priority)
    await bus.publish(subject, command, f"{record.task_id}.{step.step.id}.{step.attempt}")
