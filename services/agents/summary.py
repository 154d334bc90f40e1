"""What people see of a record: the view of a task, and its one final result. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from services.agents.answer import compose
from services.agents.record import StepRecord, TaskRecord
from shared.events.base import Reason
from shared.events.tasks import (
    Plan,
    StepResult,
    StepView,
    TaskResult,
    TaskState,
    TaskView,
    Timing,
)
from shared.events.tools import Artifact


def view_of(record: TaskRecord) -> TaskView:
    """Return the present state of a task as pages and `task show` tell it."""
    results = record.results()
    return TaskView(
        task_id=record.task_id,
        title=record.request.title,
        priority=record.priority,
        state=record.state,
        created_at=record.queued_at,
        updated_at=record.updated_at,
        reason=record.reason or record.waiting or _waits_for(record),
        plan_origin=record.plan.origin if record.plan else "",
        steps=tuple(_step_view(record, step) for step in record.steps.values()),
        engine=_joined(result.engine for result in results),
        session=record.request.session,
        seq=record.seq,
        run=record.run,
    )


def _waits_for(record: TaskRecord) -> Reason | None:
    """Return what the first waiting step waits for, once nothing else of the task moves."""
    if record.state is not TaskState.WAITING:
        return None
    return next((step.waiting for step in record.steps.values() if step.waiting), None)


def _step_view(record: TaskRecord, step: StepRecord) -> StepView:
    """Return one step; what ran when its task ended was stopped, though its worker wrote no end."""
    result = step.result
    stopped = record.end is not None and step.state is TaskState.RUNNING
    told = _stopped(record, step) if stopped else {} if result is None else _told(result)
    return StepView(
        id=step.step.id,
        agent=step.step.agent,
        title=step.step.title,
        depends_on=step.step.depends_on,
        attempt=step.attempt,
        worker=step.worker,
        host=step.host,
        started_at=step.started_at,
        reason=result.reason if result else step.waiting,
        **({"state": step.state} | told),
    )


def _stopped(record: TaskRecord, step: StepRecord) -> dict[str, object]:
    seconds = None
    if step.started_at is not None:
        seconds = _seconds(step.started_at, record.ended_at)
    return {"state": TaskState.CANCELLED, "finished_at": record.ended_at, "seconds": seconds}


def _told(result: StepResult) -> dict[str, object]:
    return {
        "engine": result.engine,
        "model": result.model,
        "is_llm": result.is_llm if result.engine else None,
        "tokens": result.usage.prompt_tokens + result.usage.completion_tokens,
        "finished_at": result.finished_at,
        "seconds": result.seconds,
    }


def result_of(record: TaskRecord) -> TaskResult:
    """Return the final result of a record that has ended; the same record, the same result."""
    results = record.results()
    answer, data = _answer(record, record.plan, results)
    return TaskResult(
        task_id=record.task_id,
        title=record.request.title,
        state=record.end or record.state,
        reason=record.reason,
        answer=answer,
        data=data,
        plan=record.plan,
        steps=results,
        engine=_joined(result.engine for result in results),
        is_llm=bool(results) and all(result.is_llm for result in results),
        notice=_joined((result.notice for result in results), " · "),
        usage=record.usage(),
        cost_usd=_cost(record),
        timing=timing_of(record),
        artifacts=_artifacts(results),
        session=record.request.session,
        run=record.run,
        at=record.ended_at or record.updated_at,
    )


def _answer(
    record: TaskRecord, plan: Plan | None, results: tuple[StepResult, ...]
) -> tuple[str, object | None]:
    """Return the composed answer; a task that ended before any step did has none."""
    if plan is None or not any(result.state is TaskState.DONE for result in results):
        return "", None
    return compose(record.request, plan, results)


def _artifacts(results: tuple[StepResult, ...]) -> tuple[Artifact, ...]:
    """Return the files of all steps; of the same name the last one, since it took the place."""
    named = {each.name: each for result in results for each in result.artifacts}
    return tuple(named.values())


def timing_of(record: TaskRecord) -> Timing:
    """Return where the time went; the makespan is first start to last end of the steps."""
    results = record.results()
    starts = [result.started_at for result in results if result.started_at]
    ends = [result.finished_at for result in results if result.finished_at]
    makespan = (max(ends) - min(starts)).total_seconds() if starts and ends else 0.0
    busy = sum(result.seconds for result in results)
    return Timing(
        queued_s=_seconds(record.queued_at, min(starts, default=None)),
        planning_s=record.planning_s,
        makespan_s=makespan,
        step_seconds=busy,
        speedup=busy / makespan if makespan > 0 else 0.0,
        model_slots=record.model_slots,
    )


def _seconds(start: datetime, end: datetime | None) -> float:
    return max(0.0, (end - start).total_seconds()) if end else 0.0


def _cost(record: TaskRecord) -> Decimal | None:
    """Return US dollars of all calls, or None as soon as one price is unknown."""
    replies = list(record.answers.values())
    for step in record.steps.values():
        replies += step.answers.values()
    costs = [reply.cost_usd for reply in replies]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(costs) else None


def _joined(words: Iterable[str], mark: str = "+") -> str:
    """Return the distinct words in order, joined; empty ones are left out."""
    return mark.join(dict.fromkeys(word for word in words if word))
