"""Shows a task while it runs: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, Self

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.following import Change
from cli.graph import COLUMNS, rows, tokens
from cli.output import STYLES, cell, clean, console, cut, emit_json_line, plain
from shared.clock import now
from shared.events.base import Reason
from shared.events.tasks import (
    FINAL_STATES,
    LiveUpdate,
    PlanStep,
    StepResult,
    StepView,
    TaskResult,
    TaskView,
)

TAIL = 400
"""Characters of streaming text that a terminal shows of each step."""


class Display(Protocol):
    """Something that shows the changes of one task between `with` and its end."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def show(self, change: Change) -> None:
        """Show one change."""


class Lines:
    """One plain line for each change of state, at the time of the change, the task's before its
    steps' and its end last. Views and the result tell all of it, in order; live updates may not.
    """

    def __init__(self, *, err: bool) -> None:
        self._err = err
        self._states: dict[str, str] = {}
        self._planned = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def show(self, change: Change) -> None:
        """Print what is new in the change; the answer itself is left to the caller."""
        if isinstance(change, TaskView):
            self._view(change)
        elif isinstance(change, TaskResult):
            self._result(change)

    def _view(self, view: TaskView) -> None:
        ended = view.state in FINAL_STATES
        begun = min((s.started_at for s in view.steps if s.started_at), default=view.updated_at)
        if not ended:
            at = min(begun, view.updated_at)
            self._state("", str(view.state), _because(view.reason), at)
        self._plan(view.steps, view.plan_origin, min(begun, view.updated_at))
        for step in sorted(view.steps, key=lambda one: changed(one) or view.updated_at):
            if step.state != "queued" or step.id in self._states:
                self._state(step.id, str(step.state), _done_by(step), changed(step))
        if ended:
            self._state("", str(view.state), _because(view.reason), view.updated_at)

    def _result(self, result: TaskResult) -> None:
        if result.plan is not None:
            self._plan(result.plan.steps, result.plan.origin, result.at)
        for step in result.steps:
            self._state(step.step_id, str(step.state), _done_by(step), step.finished_at)
        self._state("", str(result.state), _because(result.reason), result.at)

    def _plan(self, found: Sequence[PlanStep | StepView], origin: str, at: datetime) -> None:
        if found and not self._planned:
            self._planned = True
            steps = ", ".join(f"{step.id} ({step.agent})" for step in found)
            self._line(f"plan by {origin or 'the manager'}: {steps}", at)

    def _state(self, step: str, state: str, more: str, at: datetime | None) -> None:
        if self._states.get(step) != state:
            self._states[step] = state
            name = f"step {step}" if step else "task"
            self._line(f"{name} {state} {more}".rstrip(), at or now())

    def _line(self, text: str, at: datetime) -> None:
        typer.echo(f"{at.astimezone():%H:%M:%S} {clean(text)}", err=self._err)


class Screen:
    """The steps as a table that is drawn anew a few times a second, with the newest words."""

    def __init__(self, *, err: bool) -> None:
        self._view: TaskView | None = None
        self._words: dict[str, str] = {}
        self._live = Live(
            console=console(err=err), get_renderable=self._picture, refresh_per_second=4
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *error: object) -> None:
        self._words.clear()
        self._live.stop()

    def show(self, change: Change) -> None:
        """Keep what is new for the next picture."""
        if isinstance(change, TaskView):
            self._view = change
        elif isinstance(change, LiveUpdate) and change.kind == "text" and change.step_id:
            words = self._words.get(change.step_id, "") + change.text
            self._words[change.step_id] = words[-TAIL:]

    def _picture(self) -> Group:
        view = self._view
        if view is None:
            return Group(Text("waiting for the manager to take the task", style="dim"))
        head = Text.assemble(
            (cut(view.title, 60), "bold"), "  ", (str(view.state), STYLES.get(view.state, "")),
            f"  {_because(view.reason)}",
        )  # fmt: skip
        return Group(head, steps_table(view.steps), *self._tails(view))

    def _tails(self, view: TaskView) -> list[Text]:
        running = {step.id for step in view.steps if step.state == "running"}
        return [
            Text(f"{step}: …{cut(words[-100:], 100)}", style="dim", no_wrap=True)
            for step, words in self._words.items()
            if step in running
        ]


class JsonLines:
    """Every change as one JSON document a line: `{"kind": …, "body": …}`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def show(self, change: Change) -> None:
        """Print the change."""
        kind = {TaskView: "view", LiveUpdate: "live", TaskResult: "result"}[type(change)]
        emit_json_line({"kind": kind, "body": plain(change)})


def display(*, err: bool) -> Display:
    """Return the display that fits stdout, or stderr with `err`."""
    stream = sys.stderr if err else sys.stdout
    return Screen(err=err) if stream.isatty() else Lines(err=err)


def steps_table(steps: tuple[StepView, ...]) -> Table:
    """Return the steps of a task as a table, in the order of the work."""
    shown = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in COLUMNS:
        shown.add_column(column, overflow="fold", no_wrap=column != "title")
    for row in rows(steps, now()):
        shown.add_row(*(cell(value) for value in row))
    return shown


def changed(step: StepView) -> datetime | None:
    """Return when the step came to its present state; None when nothing tells."""
    return step.finished_at or step.started_at


def _done_by(step: StepView | StepResult) -> str:
    """Return who worked on the step and what it took, as far as it is known."""
    took = f"{step.seconds:.1f} s" if step.finished_at and step.seconds is not None else ""
    used = step.tokens if isinstance(step, StepView) else tokens(step.usage)
    parts = (step.agent, took, step.engine, f"{used} tokens" if step.finished_at else "")
    return " ".join(part for part in (*parts, step.host, _because(step.reason)) if part)


def _because(reason: Reason | None) -> str:
    return "" if reason is None else f"({reason.code}: {reason.message})"
