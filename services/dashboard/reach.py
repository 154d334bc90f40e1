"""Asking the other services; what they said last is kept, so that a page is never blank."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TypeVar

import anyio
from pydantic import BaseModel

from services.dashboard.store import Store
from shared import events as e
from shared.bus import Bus
from shared.errors import SovereignError, Unavailable

log = logging.getLogger(__name__)

POLL_S = 5.0
ANSWER_S = 2.0


@dataclass(frozen=True)
class Question:
    """Something that is asked again and again: which service answers, and with what."""

    service: str
    ask: BaseModel
    reply: type[BaseModel]


REPORTS = {
    "model.savings": Question("router", e.Empty(), e.Savings),
    "model.report": Question("router", e.Empty(), e.OptimizationReport),
    "model.sovereignty": Question("router", e.Empty(), e.Sovereignty),
    "ops.status": Question("ops", e.Empty(), e.OpsStatus),
    "agent.status": Question("agents", e.Empty(), e.AgentRoster),
}

Reply = TypeVar("Reply", bound=BaseModel)


class Reach:
    """Questions to other services over the bus."""

    def __init__(self, bus: Bus, store: Store) -> None:
        self._bus = bus
        self._store = store

    async def ask(
        self, subject: str, body: BaseModel, reply: type[Reply], within_s: float = ANSWER_S
    ) -> Reply:
        """Ask once; raise the other side's own error, `Unavailable` or `TimedOut`."""
        if not self._bus.nc.is_connected:
            raise Unavailable("the bus is lost; try again", retry_after_s=2)
        return await self._bus.request(subject, body, reply, within_s)

    async def fresh(self, subject: str) -> None:
        """Ask for one report and keep the answer, or why there is none."""
        question = REPORTS[subject]
        try:
            self._store.answer(subject, await self.ask(subject, question.ask, question.reply))
        except SovereignError as error:
            self._store.no_answer(subject, error.message)

    async def refresh(self) -> None:
        """Ask for all reports at the same time."""
        async with anyio.create_task_group() as tasks:
            for subject in REPORTS:
                tasks.start_soon(self.fresh, subject)

    async def run(self) -> None:
        """Refresh for ever."""
        while True:
            if self._bus.nc.is_connected:
                await self.refresh()
            await anyio.sleep(POLL_S)
