"""How a step came out, and the result that tells it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from nats.errors import Error as NatsError

from services.agents.calls import TRANSIENT
from services.agents.journal import Stale
from services.agents.perform import Output, Performer
from services.agents.record import StepRecord, TaskRecord
from shared.bus import Bus
from shared.clock import now
from shared.errors import Cancelled, SovereignError, TimedOut
from shared.events.base import Reason, Usage
from shared.events.models import ChatReply
from shared.events.tasks import RunStep, StepResult, TaskState
from shared.events.tools import ToolUse
from shared.subjects import agent_result
from shared.work import reason_of

log = logging.getLogger(__name__)

SHOWN = 200
"""Characters of an argument that a result shows."""


@dataclass(frozen=True)
class Ending:
    """An output, or an error, or a plain reason why there is neither."""

    output: Output | None = None
    error: Exception | None = None
    reason: Reason | None = None


async def outcome(performer: Performer, record: TaskRecord) -> Ending:
    """Perform the step; every failure that is its own becomes its ending.

    Raised are `Stale` (the step belongs to another worker) and trouble with the bus, which passes.
    A failure of ours that nobody expected ends the step visibly too: a further try would meet it.
    """
    try:
        return Ending(output=await performer.perform(record))
    except (Stale, *TRANSIENT, TimedOut, NatsError, TimeoutError):
        raise
    except SovereignError as error:
        return Ending(error=error)
    except Exception as error:
        log.exception("step %s of %s failed", performer.step_id, record.task_id)
        return Ending(error=error)


def ended(record: TaskRecord, command: RunStep, ending: Ending, seconds: float) -> StepResult:
    """Return the step's result; `seconds` is how long its worker took."""
    step = record.steps[command.step_id]
    output = ending.output
    after = output.record.steps[command.step_id] if output else step
    return StepResult(
        task_id=record.task_id,
        step_id=command.step_id,
        agent=command.agent,
        title=step.step.title,
        depends_on=step.step.depends_on,
        attempt=step.attempt,
        state=_state(ending),
        reason=_reason(ending),
        usage=usage_of(after),
        worker=step.worker,
        host=step.host,
        started_at=step.started_at,
        finished_at=now(),
        seconds=seconds,
        **_made(after),
        **(_answer(output) if output else _asked(after)),
    )


async def publish_result(bus: Bus, result: StepResult) -> None:
    """Tell the manager; stored once for each attempt within the duplicate window."""
    subject = agent_result(result.agent, result.task_id)
    name = f"{result.task_id}.{result.step_id}.{result.attempt}.result"
    await bus.publish(subject, result, name)


def usage_of(step: StepRecord) -> Usage:
    """Return what the answers used that the present attempt goes on with."""
    usage = Usage()
    for reply in step.own_answers().values():
        usage = usage.plus(_usage(reply))
    return usage


def _asked(step: StepRecord) -> dict[str, Any]:
    """Return who was asked last in the present attempt, in vain."""
    mine = list(step.own_answers().values())
    if not mine:
        return {}
    return {"engine": mine[-1].engine, "model": mine[-1].model, "is_llm": mine[-1].is_llm}


def _made(step: StepRecord) -> dict[str, Any]:
    """Return the calls of tools, and the last artifact of each name."""
    calls = step.own_calls()
    artifacts = {call.artifact.name: call.artifact for call in calls if call.artifact}
    uses = tuple(
        ToolUse(
            tool=call.tool, effect=call.effect, arguments=_short(call.arguments),
            reason=call.reason, seconds=call.seconds,
        )
        for call in calls
    )  # fmt: skip
    return {"tools": uses, "artifacts": tuple(artifacts.values())}


def _short(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with long texts cut: the journal has them whole."""
    return {
        name: value if len(str(value)) <= SHOWN else f"{str(value)[:SHOWN]}…"
        for name, value in arguments.items()
    }


def _usage(reply: ChatReply) -> Usage:
    return Usage(
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        calls=1,
        cached_calls=int(reply.cache in ("hit", "coalesced")),
    )


def _answer(output: Output) -> dict[str, Any]:
    reply = output.reply
    return {
        "output": reply.content,
        "data": output.data,
        "engine": reply.engine,
        "model": reply.model,
        "is_llm": reply.is_llm,
        "notice": " · ".join(filter(None, (output.known.told(reply.notice), *output.notices))),
        "context": output.known.event_ids,
        "cache": reply.cache,
        "cost_usd": reply.cost_usd,
        "verified": output.verified,
        "verified_by": output.verified_by,
        "revisions": output.revisions,
        "objections": output.objections,
    }


def _state(ending: Ending) -> TaskState:
    if ending.output is not None:
        return TaskState.DONE
    return TaskState.CANCELLED if isinstance(ending.error, Cancelled) else TaskState.FAILED


def _reason(ending: Ending) -> Reason | None:
    if ending.error is not None:
        return reason_of(ending.error)
    return ending.reason
