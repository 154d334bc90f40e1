"""What comes next for a task: a pure function of its record and the time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from services.agents.record import StepRecord, TaskRecord
from shared.events.base import Reason
from shared.events.tasks import TaskState


@dataclass(frozen=True)
class Finish:
    """The task ends here."""

    state: TaskState
    reason: Reason | None = None


@dataclass(frozen=True)
class Next:
    """What to do: end the task, plan it, ask a person about steps, hand steps to agents."""

    finish: Finish | None = None
    plan: bool = False
    ask: tuple[StepRecord, ...] = ()
    dispatch: tuple[StepRecord, ...] = ()


def decide(record: TaskRecord, at: datetime, guarded: Collection[str] = ()) -> Next:
    """Return the next moves; `guarded` are agents that always ask a person first."""
    if record.end is not None:
        return Next()
    finish = _finish(record, at)
    if finish is not None:
        return Next(finish=finish)
    if record.waiting is not None or record.paused or record.failing is not None:
        return Next()
    if record.plan is None:
        return Next(plan=True)
    ready = record.ready()
    ask = tuple(step for step in ready if needs_approval(record, step, guarded))
    return Next(ask=ask, dispatch=tuple(step for step in ready if step not in ask))


def needs_approval(record: TaskRecord, step: StepRecord, guarded: Collection[str]) -> bool:
    """Tell whether a person must agree before this step runs."""
    if step.approved:
        return False
    wanted = record.request.approval
    if isinstance(wanted, bool):
        return wanted or step.step.agent in guarded
    return bool({step.step.id, step.step.agent} & (set(wanted) | set(guarded)))


def exhausted(record: TaskRecord, at: datetime) -> Reason | None:
    """Return why the task must stop now: its deadline, or the first limit of its budget."""
    deadline = record.request.deadline
    if deadline is not None and at >= deadline:
        return Reason(code="deadline", message=f"not done by {deadline}", field="deadline")
    budget = record.request.budget
    if budget is None:
        return None
    usage = record.usage()
    used = {
        "tokens": (usage.prompt_tokens + usage.completion_tokens, budget.tokens),
        "usd": (_spent(record), budget.usd),
        "seconds": ((at - record.queued_at).total_seconds(), budget.seconds),
        "steps": (len(record.steps), budget.steps),
    }
    for name, (amount, limit) in used.items():
        if limit is not None and amount > limit:
            message = f"{amount:.6g} {name} used, {limit:g} allowed"
            return Reason(code="budget_exhausted", message=message, field=f"budget.{name}")
    return None


def _finish(record: TaskRecord, at: datetime) -> Finish | None:
    if record.cancelled is not None:
        return Finish(TaskState.CANCELLED, _words("cancelled", record.cancelled))
    if record.rejected is not None:
        return Finish(TaskState.REJECTED, _words("rejected", record.rejected))
    states = [step.state for step in record.steps.values()]
    if states and all(state is TaskState.DONE for state in states):
        return Finish(TaskState.DONE)
    failing = record.failing
    if failing is not None and TaskState.RUNNING not in states:
        return _failed(failing)
    over = exhausted(record, at)
    return Finish(TaskState.FAILED, over) if over else None


def _failed(step: StepRecord) -> Finish:
    """Return the end that a step which ended badly brings to its task."""
    cancelled = step.state is TaskState.CANCELLED
    reason = step.result.reason if step.result else None
    return Finish(TaskState.CANCELLED if cancelled else TaskState.FAILED, reason)


def _words(code: str, control: object) -> Reason:
    by = getattr(control, "by", "")
    said = getattr(control, "reason", "")
    return Reason(code=code, message=f"{code} by {by}" + (f": {said}" if said else ""))


def _spent(record: TaskRecord) -> float:
    """Return US dollars over all answers whose price is known, for comparison only."""
    replies = list(record.answers.values())
    for step in record.steps.values():
        replies += step.answers.values()
    return float(sum(reply.cost_usd for reply in replies if reply.cost_usd is not None))
