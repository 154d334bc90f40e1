"""The entries of a task's journal: what happened, in order, each appended once and never changed.

The present state of a task is a fold of these and of nothing else.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, RootModel, field_validator

from shared.clock import now
from shared.events.base import Body, Instant, Reason
from shared.events.models import ChatReply
from shared.events.tasks import (
    LONGEST_S,
    MOST_STEPS,
    MOST_TOKENS,
    MOST_USD,
    Plan,
    Priority,
    StepResult,
    TaskControl,
    TaskRequest,
    TaskState,
)
from shared.events.tools import Artifact, Effect
from shared.subjects import Token


class Entry(Body):
    """What all entries have: when, and by which instance."""

    at: Instant = Field(default_factory=now)
    by: str = ""


class TaskQueued(Entry):
    """The task was accepted; `origin_seq` is its message's sequence in the stream TASKS.

    Large attachments are named by `object` here, whatever form they came in.
    """

    kind: Literal["task_queued"] = "task_queued"
    request: TaskRequest
    priority: Priority
    origin_seq: int = 0

    @field_validator("request", mode="before")
    @classmethod
    def _bounded(cls, request: Any) -> Any:
        """Read a request of before budgets had bounds: a limit out of reach is no limit."""
        if not isinstance(request, dict) or not isinstance(request.get("budget"), dict):
            return request
        budget = request["budget"]
        within = {n: v for n, v in budget.items() if n not in _BOUNDS or _within(v, _BOUNDS[n])}
        return {**request, "budget": within}


_BOUNDS = {"tokens": MOST_TOKENS, "usd": MOST_USD, "seconds": LONGEST_S, "steps": MOST_STEPS}


def _within(value: Any, most: float) -> bool:
    """Tell whether a stored limit is one that a new task may have."""
    try:
        return value is None or Decimal(str(value)) <= Decimal(most)
    except ArithmeticError:
        return False


class TaskWaiting(Entry):
    """The whole task waits, for a time or for other tasks (`reason.code`)."""

    kind: Literal["task_waiting"] = "task_waiting"
    reason: Reason


class TaskResumed(Entry):
    """What the whole task waited for is there."""

    kind: Literal["task_resumed"] = "task_resumed"


class TaskPlanned(Entry):
    """The plan, from now on fixed."""

    kind: Literal["task_planned"] = "task_planned"
    plan: Plan
    seconds: float = 0.0


class ModelAnswered(Entry):
    """An answer of a model, kept so that it is never paid twice; `step_id` is null for planning.

    `purpose` is `critic` for a verdict on the step's output.
    """

    kind: Literal["model_answered"] = "model_answered"
    step_id: Token | None = None
    key: str
    reply: ChatReply
    purpose: Literal["work", "critic"] = "work"


class ToolStarted(Entry):
    """A call that may be made once is begun; without its `tool_answered` it is never repeated."""

    kind: Literal["tool_started"] = "tool_started"
    step_id: Token
    key: str
    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class ToolAnswered(Entry):
    """What a call of a tool gave: the text as the model is told it, or `reason` for none.

    `key` is the answer's that asked for it, then the call's place in that answer.
    """

    kind: Literal["tool_answered"] = "tool_answered"
    step_id: Token
    key: str
    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    effect: Effect = "pure"
    content: str = ""
    reason: Reason | None = None
    artifact: Artifact | None = None
    seconds: float = 0.0


class StepStarted(Entry):
    """A worker took the step; this entry's sequence is its right to go on."""

    kind: Literal["step_started"] = "step_started"
    step_id: Token
    attempt: int
    worker: str
    host: str


class StepReleased(Entry):
    """A worker that is stopped in good order gave the step back."""

    kind: Literal["step_released"] = "step_released"
    step_id: Token
    attempt: int


class StepTroubled(Entry):
    """The engine failed at a model call of the step; a few of these end it."""

    kind: Literal["step_troubled"] = "step_troubled"
    step_id: Token
    attempt: int
    reason: Reason


class StepWaiting(Entry):
    """The step waits for a person or a model and holds no worker."""

    kind: Literal["step_waiting"] = "step_waiting"
    step_id: Token
    attempt: int
    reason: Reason


class StepResumed(Entry):
    """What the step waited for is there: it goes on as attempt `attempt`."""

    kind: Literal["step_resumed"] = "step_resumed"
    step_id: Token
    attempt: int


class StepEnded(Entry):
    """The step came to its end, well or not."""

    kind: Literal["step_finished", "step_failed"]
    result: StepResult


class ControlReceived(Entry):
    """A person's word that was valid when it came; `origin_seq` is of stream TASKS_CONTROL."""

    kind: Literal["control_received"] = "control_received"
    control: TaskControl
    origin_seq: int = 0


class DependantAdded(Entry):
    """Another task waits for this one's end."""

    kind: Literal["dependant_added"] = "dependant_added"
    task_id: Token


class TaskFinished(Entry):
    """The end. `model_slots` is how many model calls the router could run at the same time."""

    kind: Literal["task_finished"] = "task_finished"
    state: TaskState
    reason: Reason | None = None
    model_slots: int = 0


AnyEntry = (
    TaskQueued | TaskWaiting | TaskResumed | TaskPlanned | ModelAnswered | StepStarted
    | ToolStarted | ToolAnswered | StepReleased | StepTroubled | StepWaiting | StepResumed
    | StepEnded | ControlReceived | DependantAdded | TaskFinished
)  # fmt: skip


class JournalEntry(RootModel[Annotated[AnyEntry, Field(discriminator="kind")]]):
    """What `task.journal.<task_id>` carries: one entry, told apart by its `kind`."""

    model_config = ConfigDict(frozen=True)
