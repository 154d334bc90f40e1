"""The fold of a journal: entries in, record out; pure, the same on every host."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import singledispatch
from typing import Any

from services.agents.record import StepRecord, TaskRecord
from shared.events import journal as j
from shared.events.models import ChatReply
from shared.events.tasks import TaskControl, TaskState

Numbered = tuple[int, j.AnyEntry]
"""A stream sequence and its entry."""


def fold(task_id: str, entries: Iterable[Numbered]) -> TaskRecord | None:
    """Return the record after all entries, or None when there is none."""
    return extend(None, task_id, entries)


def extend(
    record: TaskRecord | None, task_id: str, entries: Iterable[Numbered]
) -> TaskRecord | None:
    """Return `record` after more entries; entries before the first `task_queued` say nothing."""
    for seq, entry in entries:
        if record is not None:
            record = replace(apply(entry, record), seq=seq, updated_at=entry.at)
            if isinstance(entry, j.StepStarted):
                record = _with(record, entry.step_id, owner=seq)
        elif isinstance(entry, j.TaskQueued):
            record = _opened(task_id, seq, entry)
    return record


def _opened(task_id: str, seq: int, entry: j.TaskQueued) -> TaskRecord:
    return TaskRecord(
        task_id, seq, entry.request, entry.priority, entry.at, entry.at, entry.origin_seq
    )


@singledispatch
def apply(entry: j.AnyEntry, record: TaskRecord) -> TaskRecord:
    """Return `record` after `entry`; a second `task_queued` changes nothing."""
    return record


@apply.register
def _(entry: j.TaskWaiting, record: TaskRecord) -> TaskRecord:
    return replace(record, waiting=entry.reason, waited=record.waited | {entry.reason.code})


@apply.register
def _(entry: j.TaskResumed, record: TaskRecord) -> TaskRecord:
    return replace(record, waiting=None)


@apply.register
def _(entry: j.TaskPlanned, record: TaskRecord) -> TaskRecord:
    steps = {step.id: StepRecord(step) for step in entry.plan.steps}
    return replace(record, plan=entry.plan, planning_s=entry.seconds, steps=steps)


@apply.register
def _(entry: j.ModelAnswered, record: TaskRecord) -> TaskRecord:
    if entry.step_id is None:
        return replace(record, answers={**record.answers, entry.key: entry.reply})
    known: dict[str, ChatReply] = dict(record.steps[entry.step_id].answers)
    return _with(record, entry.step_id, answers=known | {entry.key: entry.reply})


@apply.register
def _(entry: j.ToolStarted, record: TaskRecord) -> TaskRecord:
    step = record.steps[entry.step_id]
    return _with(
        record, entry.step_id, begun=step.begun | {entry.key}, allowed=step.allowed - {entry.key}
    )


@apply.register
def _(entry: j.ToolAnswered, record: TaskRecord) -> TaskRecord:
    known = dict(record.steps[entry.step_id].calls)
    return _with(record, entry.step_id, calls=known | {entry.key: entry})


@apply.register
def _(entry: j.StepStarted, record: TaskRecord) -> TaskRecord:
    starts = record.steps[entry.step_id].starts + 1
    return _with(
        record, entry.step_id, state=TaskState.RUNNING, starts=starts, worker=entry.worker,
        host=entry.host, started_at=entry.at, waiting=None,
    )  # fmt: skip


@apply.register
def _(entry: j.StepReleased, record: TaskRecord) -> TaskRecord:
    starts = max(0, record.steps[entry.step_id].starts - 1)
    return _with(record, entry.step_id, state=TaskState.QUEUED, starts=starts, owner=None)


@apply.register
def _(entry: j.StepTroubled, record: TaskRecord) -> TaskRecord:
    return _with(record, entry.step_id, failures=record.steps[entry.step_id].failures + 1)


@apply.register
def _(entry: j.StepWaiting, record: TaskRecord) -> TaskRecord:
    return _with(
        record, entry.step_id, state=TaskState.WAITING, owner=None,
        waiting=entry.reason, waiting_since=entry.at,
    )  # fmt: skip


@apply.register
def _(entry: j.StepResumed, record: TaskRecord) -> TaskRecord:
    step = record.steps[entry.step_id]
    good = all(reply.is_llm for reply in step.own_answers().values())
    return _with(
        record, entry.step_id, state=TaskState.QUEUED, attempt=entry.attempt, starts=0,
        failures=0, owner=None, waiting=None, base=step.base if good else entry.attempt,
    )  # fmt: skip


@apply.register
def _(entry: j.StepEnded, record: TaskRecord) -> TaskRecord:
    result = entry.result
    return _with(record, result.step_id, state=result.state, result=result, owner=None)


@apply.register
def _(entry: j.DependantAdded, record: TaskRecord) -> TaskRecord:
    return replace(record, dependants=(*record.dependants, entry.task_id))


@apply.register
def _(entry: j.TaskFinished, record: TaskRecord) -> TaskRecord:
    return replace(
        record, end=entry.state, reason=entry.reason, ended_at=entry.at, waiting=None,
        model_slots=entry.model_slots,
    )  # fmt: skip


@apply.register
def _(entry: j.ControlReceived, record: TaskRecord) -> TaskRecord:
    known = record.controls | ({entry.origin_seq} if entry.origin_seq else frozenset())
    return _controlled(replace(record, controls=known), entry.control)


def _controlled(record: TaskRecord, control: TaskControl) -> TaskRecord:
    match control.action:
        case "cancel":
            return replace(record, cancelled=control)
        case "reject":
            return replace(record, rejected=control)
        case "approve" if control.step is not None:
            return _approved(record, control.step)
        case "pause" | "resume":
            return replace(record, paused=control.action == "pause")
        case "retry":
            return _retried(record, control.step)
    return record


def _approved(record: TaskRecord, name: str) -> TaskRecord:
    """Let a step go on where it waited; what it waited to call may be called now."""
    step = record.steps[name]
    call = step.waiting.field if step.waiting else None
    return _with(
        record, name, approved=True, state=TaskState.QUEUED, attempt=step.attempt + 1,
        starts=0, waiting=None, allowed=step.allowed | ({call} if call else frozenset()),
    )  # fmt: skip


def _retried(record: TaskRecord, name: str | None) -> TaskRecord:
    """Open the task again: `name` and what depends on it, or all that is not done."""
    again = (
        {n for n, s in record.steps.items() if s.state is not TaskState.DONE}
        if name is None
        else behind(record, name)
    )
    steps = dict(record.steps)
    for each in again:
        old = steps[each]
        again_as = old.attempt + 1
        steps[each] = StepRecord(
            old.step, attempt=again_as, base=again_as, approved=old.approved,
            answers=old.answers, calls=old.calls,
        )  # fmt: skip
    return replace(
        record, steps=steps, run=record.run + 1, end=None, reason=None, ended_at=None,
        cancelled=None, rejected=None, paused=False,
        waited=record.waited if record.plan else frozenset(),
    )  # fmt: skip


def behind(record: TaskRecord, name: str) -> set[str]:
    """Return `name` and every step that depends on it, however far."""
    found = {name}
    while True:
        more = {n for n, s in record.steps.items() if found.intersection(s.step.depends_on)}
        if more <= found:
            return found
        found |= more


def _with(record: TaskRecord, name: str, **changes: Any) -> TaskRecord:
    """Return the record with one step changed."""
    step = replace(record.steps[name], **changes)
    return replace(record, steps={**record.steps, name: step})
