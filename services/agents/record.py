"""What a task has come to: the state that its journal folds into. Values, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.events.base import Reason, Usage
from shared.events.journal import ToolAnswered
from shared.events.models import ChatReply
from shared.events.tasks import (
    FINAL_STATES,
    Plan,
    PlanStep,
    Priority,
    StepResult,
    TaskControl,
    TaskRequest,
    TaskState,
)


@dataclass(frozen=True)
class StepRecord:
    """One step. `owner` is the sequence of the `step_started` entry whose worker may go on.

    `starts` counts the starts of this attempt that no worker gave back: crashes, plus the
    present one while it runs. `failures` counts the engine's in this attempt.
    `base` is the attempt whose answers and calls the present one goes on with: their keys begin
    with it. `begun` are calls that were started, `allowed` those that a person agreed to.
    """

    step: PlanStep
    state: TaskState = TaskState.QUEUED
    attempt: int = 1
    base: int = 1
    owner: int | None = None
    starts: int = 0
    failures: int = 0
    worker: str = ""
    host: str = ""
    started_at: datetime | None = None
    result: StepResult | None = None
    waiting: Reason | None = None
    waiting_since: datetime | None = None
    approved: bool = False
    answers: Mapping[str, ChatReply] = field(default_factory=dict)
    calls: Mapping[str, ToolAnswered] = field(default_factory=dict)
    begun: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()

    def own_answers(self) -> dict[str, ChatReply]:
        """Return the answers that the present attempt goes on with, by key."""
        mine = f"{self.base}."
        return {key: reply for key, reply in self.answers.items() if key.startswith(mine)}

    def own_calls(self) -> tuple[ToolAnswered, ...]:
        """Return the calls of tools that the present attempt goes on with, in order."""
        mine = f"{self.base}."
        return tuple(call for key, call in self.calls.items() if key.startswith(mine))

    @property
    def ended(self) -> bool:
        """Tell whether this step needs nothing more."""
        return self.state in FINAL_STATES


@dataclass(frozen=True)
class TaskRecord:
    """One task after the journal entry with stream sequence `seq`."""

    task_id: str
    seq: int
    request: TaskRequest
    priority: Priority
    queued_at: datetime
    updated_at: datetime
    origin_seq: int = 0
    run: int = 1
    plan: Plan | None = None
    planning_s: float = 0.0
    steps: Mapping[str, StepRecord] = field(default_factory=dict)
    answers: Mapping[str, ChatReply] = field(default_factory=dict)
    waiting: Reason | None = None
    waited: frozenset[str] = frozenset()
    paused: bool = False
    cancelled: TaskControl | None = None
    rejected: TaskControl | None = None
    controls: frozenset[int] = frozenset()
    dependants: tuple[str, ...] = ()
    end: TaskState | None = None
    reason: Reason | None = None
    ended_at: datetime | None = None
    model_slots: int = 0

    @property
    def state(self) -> TaskState:
        """Return where the task stands, as people see it."""
        if self.end is not None:
            return self.end
        if self.waiting is not None or self.paused:
            return TaskState.WAITING
        if self.plan is None:
            return TaskState.PLANNING if self.answers else TaskState.QUEUED
        return _of_steps([step.state for step in self.steps.values()])

    @property
    def failing(self) -> StepRecord | None:
        """Return the first step that failed, else the first that was cancelled, if any."""
        bad = [s for s in self.steps.values() if s.ended and s.state is not TaskState.DONE]
        return min(bad, key=lambda s: s.state is not TaskState.FAILED, default=None)

    @property
    def deadline(self) -> datetime | None:
        """Return the earlier of the task's deadline and its budget of seconds since queued."""
        budget = self.request.budget
        ends = [self.request.deadline] if self.request.deadline else []
        if budget is not None and budget.seconds is not None:
            ends += _after(self.queued_at, budget.seconds)
        return min(ends, default=None)

    def results(self) -> tuple[StepResult, ...]:
        """Return the results of the steps that ended, in the plan's order."""
        return tuple(step.result for step in self.steps.values() if step.result is not None)

    def usage(self) -> Usage:
        """Return what all journaled model calls of this task used."""
        replies = list(self.answers.values())
        for step in self.steps.values():
            replies += step.answers.values()
        return Usage(
            prompt_tokens=sum(reply.prompt_tokens for reply in replies),
            completion_tokens=sum(reply.completion_tokens for reply in replies),
            calls=len(replies),
            cached_calls=sum(reply.cache in ("hit", "coalesced") for reply in replies),
        )

    def ready(self) -> list[StepRecord]:
        """Return the steps that are queued and whose dependencies are done."""
        done = {name for name, step in self.steps.items() if step.state is TaskState.DONE}
        return [
            step
            for step in self.steps.values()
            if step.state is TaskState.QUEUED and done.issuperset(step.step.depends_on)
        ]


def _after(start: datetime, seconds: float) -> list[datetime]:
    """Return the instant `seconds` after `start`, or nothing where the calendar ends before."""
    try:
        return [start + timedelta(seconds=seconds)]
    except (OverflowError, ValueError):
        return []


def _of_steps(states: list[TaskState]) -> TaskState:
    """Return the state of a planned task: running while anything moves, else waiting."""
    if TaskState.WAITING in states and TaskState.RUNNING not in states:
        return TaskState.WAITING
    if all(state is TaskState.QUEUED for state in states):
        return TaskState.QUEUED
    return TaskState.RUNNING
