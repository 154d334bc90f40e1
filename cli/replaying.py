"""A task told again from its journal: every entry, every decision, and whether the end follows."""

from __future__ import annotations

import typer

from cli.connection import ask
from cli.errors import FAILED
from cli.output import emit_json, say, table
from cli.wishes import build
from shared.events.replay import ReplayAsk, ReplayedResult, ReplayLine, TaskReplay

REPLAY_S = 30.0
"""Seconds that the crew may take to read a long journal."""


def replay(task_id: str, until: int | None, as_json: bool) -> None:
    """Print the story of a task; exit 1 when a stored result does not follow from it."""
    wanted = build(ReplayAsk, {"task_id": task_id, "until": until})
    told = ask("agent.replay", wanted, TaskReplay, REPLAY_S)
    if as_json:
        emit_json(told)
    else:
        _show(told)
    if any(result.stored and not result.same for result in told.results):
        raise typer.Exit(FAILED)


def _show(told: TaskReplay) -> None:
    table(("seq", "after", "entry", "step", "state", "what", "then"), map(_row, told.lines))
    calls = "1 model answer" if told.calls == 1 else f"{told.calls} model answers"
    say(f"{len(told.lines)} entries, {calls}, {told.starts} starts of steps; no model was asked")
    for result in told.results:
        say(f"run {result.run}, {result.state}: {_verdict(result)}")
    if not told.results:
        say(f"not ended: the task is {told.view.state}")


def _row(line: ReplayLine) -> tuple[object, ...]:
    then = "; ".join(line.decided)
    after = f"{line.seconds:.3f} s"
    return line.seq, after, line.kind, line.step_id, line.state, line.text, then


def _verdict(result: ReplayedResult) -> str:
    if not result.stored:
        return "its result is no longer kept, so there is nothing to compare"
    if result.same:
        return "the stored result follows from the journal, byte for byte"
    return f"the stored result DIFFERS in {', '.join(result.differs)}"
