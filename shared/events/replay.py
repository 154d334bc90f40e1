"""A task told again from its journal: every entry in order, and whether the result follows."""

from __future__ import annotations

from pydantic import Field

from shared.events.base import Body, Instant
from shared.events.tasks import TaskState, TaskView
from shared.subjects import Token


class ReplayAsk(Body):
    """Which task; with `until`, only the entries up to that stream sequence."""

    task_id: Token
    until: int | None = Field(default=None, ge=1)


class ReplayLine(Body):
    """One entry: what it says, where the task stood after it, and what was then decided.

    `seq` is its sequence in the stream JOURNAL, `seconds` the time since the first entry.
    """

    seq: int
    at: Instant
    seconds: float
    by: str = ""
    kind: str
    step_id: str | None = None
    text: str = ""
    state: TaskState
    decided: tuple[str, ...] = ()


class ReplayedResult(Body):
    """The final result of one run beside the one that is stored.

    `stored` is false when the stream no longer keeps it; `same` tells equality byte for byte;
    `differs` names the fields that are not equal.
    """

    run: int
    state: TaskState
    stored: bool
    same: bool = False
    differs: tuple[str, ...] = ()


class TaskReplay(Body):
    """What the journal of one task tells; no model is asked and nothing is written.

    `calls` counts journaled answers of models, each paid once. `verified` is true when every
    run has its result stored and the fold gives the same bytes.
    """

    task_id: Token
    title: str
    view: TaskView
    lines: tuple[ReplayLine, ...]
    results: tuple[ReplayedResult, ...] = ()
    calls: int = 0
    starts: int = 0
    verified: bool = False
