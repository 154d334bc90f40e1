"""A task from request to result: what people send, what the crew plans, does and answers."""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from shared.clock import now
from shared.events.base import Body, Instant, Reason, Title, Usage, UsDollars
from shared.events.tools import Artifact, ToolUse
from shared.subjects import Token

INLINE_LIMIT = 1024 * 1024
"""Bytes of one attachment that may travel inside the task; larger ones go as `object`."""


LONGEST_S = 10 * 366 * 86_400.0
"""Seconds of a budget: ten years. Much more than that is a time that no calendar has."""
MOST_TOKENS = 10**12
MOST_USD = 10**9
MOST_STEPS = 10_000

APPROVAL = "approval"
TOOL_UNSETTLED = "tool_unsettled"
WAITS_FOR_PERSON = frozenset({APPROVAL, TOOL_UNSETTLED})
"""Codes of reasons for which a step waits until a person approves it: it was agreed so before,
or a call that may be made once was begun and nobody knows whether it came to its end."""

Verify = Literal["checks", "critic", "strict"]
"""How outputs are judged: by code; by a critic as well; `strict` fails what the critic refuses."""


class Priority(StrEnum):
    """How soon; a later urgent task overtakes waiting low ones, and low never starves."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class TaskState(StrEnum):
    """Where a task, or one of its steps, stands."""

    QUEUED = "queued"
    PLANNING = "planning"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


FINAL_STATES = frozenset(
    {TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED, TaskState.REJECTED}
)


class Attachment(Body):
    """A file that comes with a task: exactly one of text, base64 or object.

    `object` is the name of an object in the bucket `attachments`.
    """

    name: str = Field(min_length=1, max_length=255, pattern=r"^[^/\\\x00-\x1f]+$")
    text: str | None = None
    base64: str | None = None
    object: str | None = Field(default=None, max_length=255)
    media_type: str = "text/plain"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [part for part in (self.text, self.base64, self.object) if part is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of text, base64, object")
        if self.object is None and len(self.content()) > INLINE_LIMIT:
            raise ValueError(f"more than {INLINE_LIMIT} bytes; put it in the object store")
        return self

    def content(self) -> bytes:
        """Return the inline bytes; an attachment by `object` has none here."""
        if self.base64 is not None:
            try:
                return base64.b64decode(self.base64, validate=True)
            except binascii.Error as error:
                raise ValueError(f"base64: {error}") from None
        return (self.text or "").encode()


class Budget(Body):
    """Hard limits of one task; the first one reached ends it with `budget_exhausted`."""

    tokens: int | None = Field(default=None, gt=0, le=MOST_TOKENS)
    usd: UsDollars | None = Field(default=None, gt=0, le=MOST_USD)
    seconds: float | None = Field(default=None, gt=0, le=LONGEST_S, allow_inf_nan=False)
    steps: int | None = Field(default=None, gt=0, le=MOST_STEPS)


class TaskRequest(Body):
    """What a person asks for. Only the title is needed; the same `task_id` twice is one task.

    `priority` in the body loses against the priority in the subject.
    `approval`: true asks a person before every step, a list names agents or step ids.
    `verify` takes the place of what the agents' own files say.
    """

    title: Title
    task_id: Token | None = None
    description: str = Field(default="", max_length=1_000_000)
    priority: Priority | None = None
    agent: Token | None = None
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=20)
    session: Token | None = None
    depends_on: tuple[Token, ...] = Field(default=(), max_length=50)
    deadline: Instant | None = None
    not_before: Instant | None = None
    budget: Budget | None = None
    approval: bool | tuple[Token, ...] = False
    output_schema: dict[str, Any] | None = None
    template: Token | None = None
    verify: Verify | None = None


class TaskControl(Body):
    """A person's word on a running task; `step` is needed for approve, reject and retry-from."""

    action: Literal["cancel", "approve", "reject", "retry", "pause", "resume"]
    task_id: Token
    step: Token | None = None
    reason: str = Field(default="", max_length=2000)
    by: str = Field(default="somebody", max_length=200)
    at: Instant = Field(default_factory=now)


class PlanStep(Body):
    """One piece of the work, done by one agent once its dependencies are done."""

    id: Token
    agent: Token
    title: Title
    instruction: str = Field(max_length=4000)
    depends_on: tuple[Token, ...] = ()
    done_when: str = Field(default="", max_length=400)


class Plan(Body):
    """A flat DAG of one to eight steps, and how it came to be."""

    steps: tuple[PlanStep, ...] = Field(min_length=1, max_length=8)
    origin: Literal["rule", "model", "template"]
    reason: str = ""


class RunStep(Body):
    """The command to an agent; everything else is in the task's journal."""

    task_id: Token
    step_id: Token
    agent: Token
    attempt: int = Field(ge=1)
    priority: Priority
    at: Instant = Field(default_factory=now)


class StepResult(Body):
    """What one step came to: output, who answered, tokens and times.

    `engine` is `ollama`, `openai`, `offline` or `code`; `is_llm` is true only for a language model.
    `context` names the session's facts that the step was shown, by their event ids.
    """

    task_id: Token
    step_id: Token
    agent: Token
    title: str
    depends_on: tuple[str, ...] = ()
    attempt: int = 1
    state: TaskState
    output: str = ""
    data: Any | None = None
    reason: Reason | None = None
    engine: str = ""
    model: str = ""
    is_llm: bool = False
    notice: str = ""
    context: tuple[str, ...] = ()
    cache: str = ""
    usage: Usage = Usage()
    cost_usd: UsDollars | None = None
    verified: bool | None = None
    verified_by: Literal["", "checks", "critic"] = ""
    revisions: int = 0
    objections: tuple[str, ...] = ()
    tools: tuple[ToolUse, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    worker: str = ""
    host: str = ""
    started_at: Instant | None = None
    finished_at: Instant | None = None
    seconds: float = 0.0


class Timing(Body):
    """Where the time went, in seconds; `speedup` = `step_seconds` / `makespan_s`."""

    queued_s: float = 0.0
    planning_s: float = 0.0
    makespan_s: float = 0.0
    step_seconds: float = 0.0
    speedup: float = 0.0
    model_slots: int = 0


class TaskResult(Body):
    """The one final answer of a task, on `agent.result.crew.<task_id>`.

    `run` is 1, and one more after each retry by a person; each run has one final answer.
    """

    task_id: Token
    title: str
    state: TaskState
    reason: Reason | None = None
    answer: str = ""
    data: Any | None = None
    plan: Plan | None = None
    steps: tuple[StepResult, ...] = ()
    engine: str = ""
    is_llm: bool = False
    notice: str = ""
    usage: Usage = Usage()
    cost_usd: UsDollars | None = None
    timing: Timing = Timing()
    artifacts: tuple[Artifact, ...] = ()
    session: str | None = None
    run: int = 1
    at: Instant = Field(default_factory=now)


class StepView(Body):
    """One step as a page shows it."""

    id: str
    agent: str
    title: str
    state: TaskState
    depends_on: tuple[str, ...] = ()
    attempt: int = 0
    worker: str = ""
    host: str = ""
    engine: str = ""
    model: str = ""
    is_llm: bool | None = None
    tokens: int = 0
    started_at: Instant | None = None
    finished_at: Instant | None = None
    seconds: float | None = None
    reason: Reason | None = None


class TaskView(Body):
    """The present state of a task: a fold of its journal, kept in KV bucket `tasks`.

    `seq` is the sequence of the last journal entry in it: a later view has a greater one.
    A final result of an earlier `run` than this is history: a person has had the task retried.
    """

    task_id: Token
    title: str
    priority: Priority
    state: TaskState
    created_at: Instant
    updated_at: Instant
    reason: Reason | None = None
    plan_origin: str = ""
    steps: tuple[StepView, ...] = ()
    engine: str = ""
    session: str | None = None
    seq: int = 0
    run: int = 1


class WaitingStep(Body):
    """Why something waits: the value of `<task_id>.<step_id>` in the bucket `waiting`.

    The step id of a whole task is `_task`. After `until` the task goes on (`not_before`) or, at
    `deadline`, ends.
    """

    reason: str
    message: str = ""
    since: Instant = Field(default_factory=now)
    attempt: int = 1
    until: Instant | None = None
    deadline: Instant | None = None


class LiveUpdate(Body):
    """Progress of a running task for whoever watches: a state change or a piece of text."""

    task_id: Token
    step_id: str | None = None
    kind: Literal["state", "text"]
    state: TaskState | None = None
    text: str = ""
    agent: str = ""
    at: Instant = Field(default_factory=now)
