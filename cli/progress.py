"""Shows a task while it runs: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
from typing import Protocol, Self

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.following import Change
from cli.graph import COLUMNS, rows
from cli.output import STYLES, cell, clean, console, cut, emit_json_line, plain
from shared.clock import now
from shared.events.base import Reason
from shared.events.tasks import LiveUpdate, StepView, TaskResult, TaskView

TAIL = 400
"""Characters of streaming text that a terminal shows of each step."""


class Display(Protocol):
    """Something that shows the changes of one task between `with` and its end."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def show(self, change: Change) -> None:
        """Show one change."""


class Lines:
    """One plain line for each change of state."""

    def __init__(self, *, err: bool) -> None:
        self._err = err
        self._states: dict[str, str] = {}
        self._planned = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def show(self, change: Change) -> None:
        """Print what is new in the change; the final result is left to the caller."""
        if isinstance(change, LiveUpdate):
            self._live(change)
        elif isinstance(change, TaskView):
            self._view(change)

    def _live(self, update: LiveUpdate) -> None:
        if update.kind == "state" and update.state is not None:
            self._state(update.step_id or "", str(update.state), update.agent)

    def _view(self, view: TaskView) -> None:
        self._plan(view)
        for step in view.steps:
            self._step(step)
        self._state("", str(view.state), _because(view.reason))

    def _plan(self, view: TaskView) -> None:
        if view.steps and not self._planned:
            self._planned = True
            steps = ", ".join(f"{step.id} ({step.agent})" for step in view.steps)
            self._line(f"plan by {view.plan_origin or 'the manager'}: {steps}")

    def _step(self, step: StepView) -> None:
        if step.state == "queued" and step.id not in self._states:
            return
        took = f"{step.seconds:.1f} s" if step.seconds is not None else ""
        parts = (step.agent, took, step.engine, step.host, _because(step.reason))
        self._state(step.id, str(step.state), " ".join(part for part in parts if part))

    def _state(self, step: str, state: str, more: str) -> None:
        if self._states.get(step) != state:
            self._states[step] = state
            name = f"step {step}" if step else "task"
            self._line(f"{name} {state} {more}".rstrip())

    def _line(self, text: str) -> None:
        typer.echo(f"{now().astimezone():%H:%M:%S} {clean(text)}", err=self._err)


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


def _because(reason: Reason | None) -> str:
    return "" if reason is None else f"({reason.code}: {reason.message})"
