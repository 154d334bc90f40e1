"""A step's questions to models: each answer is journaled before it is used, none asked twice."""

from __future__ import annotations

import asyncio
import logging
from decimal import Decimal
from typing import Literal

from nats.errors import Error as NatsError

from services.agents.calls import FAILURES
from services.agents.decide import exhausted
from services.agents.hold import Hold
from services.agents.journal import Stale
from shared.clock import now
from shared.errors import EngineFailed, SovereignError, TimedOut, Unavailable
from shared.events.journal import ModelAnswered, StepTroubled
from shared.events.models import ChatReply, ChatRequest
from shared.work import reason_of

log = logging.getLogger(__name__)

MOST_FAILURES = 5
"""Failures of the engine, in one attempt at a step and over all restarts, that end it."""
PAUSE_S = 0.5
"""Half the pause after the first of them; doubled after each."""
PATIENCE_S = 20.0
"""How long a step holds its slot while the router is away or busy."""

Purpose = Literal["work", "critic"]


class BudgetExhausted(SovereignError):
    """The agent's own limit for one step is reached."""

    code = "budget_exhausted"


class Questions:
    """Asks for the step of one hold, within the agent's budget."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._room = hold.room

    async def ask(self, name: str, request: ChatRequest, purpose: Purpose = "work") -> ChatReply:
        """Return the journaled answer of that name, or a new one that is journaled first.

        Raises `Unavailable` or `Busy` after `PATIENCE_S`: the step then holds no slot for a while.
        """
        key = self._hold.key(name)
        known = self._hold.step.answers.get(key)
        if known is not None:
            return known
        self._check_budget()
        reply = await self._asked(request, purpose)
        entry = ModelAnswered(
            step_id=self._hold.step_id, key=key, reply=reply, purpose=purpose,
            by=self._room.instance,
        )  # fmt: skip
        await self._hold.write(entry)
        return reply

    def _check_budget(self) -> None:
        """Raise `BudgetExhausted` when what was used so far leaves nothing for a further call.

        The task's own budget counts too: else the rounds of one step could go far beyond it.
        """
        over = exhausted(self._hold.record, now())
        if over is not None and over.code == BudgetExhausted.code:
            raise BudgetExhausted(over.message, field=over.field)
        budget = self._hold.spec.budget
        answers = self._hold.step.own_answers().values()
        tokens = sum(reply.prompt_tokens + reply.completion_tokens for reply in answers)
        usd = sum((reply.cost_usd for reply in answers if reply.cost_usd), Decimal(0))
        used = {"tokens": tokens, "calls": len(answers), "usd": usd}
        for name, amount in used.items():
            limit = getattr(budget, name)
            if limit is not None and amount >= limit:
                line = f"{self._hold.spec.name} may use {limit} {name} a step; it used {amount}"
                raise BudgetExhausted(line, field=f"budget.{name}")

    async def _asked(self, request: ChatRequest, purpose: Purpose) -> ChatReply:
        """Return the model's reply; failures of the engine are journaled, the last one raised."""
        while True:
            try:
                return await self._once(request, purpose)
            except FAILURES as error:
                await self._troubled(error)
            await asyncio.sleep(PAUSE_S * 2**self._hold.step.failures)
            await self._still()

    async def _once(self, request: ChatRequest, purpose: Purpose) -> ChatReply:
        """Ask; only the work itself is shown to watchers as it comes."""
        models = self._room.models
        if purpose != "work":
            return await models.patiently(request, patience_s=PATIENCE_S, still=self._still)
        hold = self._hold
        live = self._room.live.text(hold.record.task_id, hold.step_id, hold.spec.name)
        async with live:
            return await models.patiently(request, live.add, PATIENCE_S, self._still)

    async def _troubled(self, error: SovereignError) -> None:
        """Count one failure; raise `EngineFailed` when it was one too many."""
        hold = self._hold
        entry = StepTroubled(
            step_id=hold.step_id, attempt=hold.step.attempt, reason=reason_of(error),
            by=self._room.instance,
        )  # fmt: skip
        await hold.write(entry)
        if hold.step.failures >= MOST_FAILURES:
            line = f"{error.message} (tried {hold.step.failures} times)"
            raise EngineFailed(line) from error
        log.info("step %s of %s: %s; again soon", hold.step_id, hold.record.task_id, error)

    async def _still(self) -> None:
        """Raise `Stale` when the step is not ours any more, as after a long sleep of this host."""
        task_id = self._hold.record.task_id
        try:
            record = await self._room.journal.find(task_id)
        except (TimedOut, NatsError) as error:
            raise Unavailable(f"the journal of {task_id} cannot be read") from error
        if record is None or not self._hold.entitled(record):
            raise Stale(task_id)
