"""Keeps whether the steps of tasks came out well, by the model that did them."""

from __future__ import annotations

import logging

from nats.aio.msg import Msg

from services.router.record import Record, Step
from shared.bus import decode
from shared.clock import now
from shared.errors import OutputCut, OutputInvalid, SovereignError
from shared.events import StepResult

log = logging.getLogger(__name__)

SUBJECT = "agent.result.*.*"
CREW = "agent.result.crew."
WANTING = (OutputInvalid.code, OutputCut.code, "not_verified")
"""Why a step fails that say something about the model."""


class Steps:
    """Hears the results of steps; those that no model made, or that nobody judged, are left out."""

    def __init__(self, record: Record) -> None:
        self._record = record

    async def hear(self, message: Msg) -> None:
        """Take one result in."""
        if message.subject.startswith(CREW):
            return
        try:
            result = decode(message.data, StepResult)
        except SovereignError as error:
            log.debug("%s: %s", message.subject, error.message)
            return
        verified = judged(result)
        if verified is not None:
            self._record.add(_step(result, verified))


def judged(result: StepResult) -> bool | None:
    """Tell whether the model's work was found good; None when the result does not say."""
    if not result.is_llm or not result.model:
        return None
    if result.reason is not None and result.reason.code in WANTING:
        return False
    return result.verified if result.state == "done" else None


def _step(result: StepResult, verified: bool) -> Step:
    return Step(
        at=now().isoformat(),
        task_id=result.task_id,
        step_id=result.step_id,
        attempt=result.attempt,
        agent=result.agent,
        model=result.model,
        verified=int(verified),
    )
