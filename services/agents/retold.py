"""Each entry of a journal in one line for people."""

from __future__ import annotations

from functools import singledispatch

from shared.events import journal as j
from shared.events.models import ChatReply

WIDTH = 160
"""Characters of a line; what stands in the entry is longer and may hold anything."""
_HEAD = {"kind", "at", "by", "step_id"}


def retold(entry: j.AnyEntry) -> str:
    """Return the entry in one line of at most `WIDTH` characters."""
    line = " ".join(_line(entry).split())
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


@singledispatch
def _line(entry: j.AnyEntry) -> str:
    """Return what any entry holds, name by name."""
    held = entry.model_dump(mode="json", exclude=_HEAD, exclude_defaults=True)
    return ", ".join(f"{name} {value}" for name, value in held.items())


@_line.register
def _(entry: j.TaskQueued) -> str:
    return f"{entry.request.title!r}, {entry.priority}, message {entry.origin_seq}"


@_line.register
def _(entry: j.TaskWaiting) -> str:
    return f"waits: {entry.reason.code}, {entry.reason.message}"


@_line.register
def _(entry: j.TaskPlanned) -> str:
    steps = [
        step.id + (f" after {'+'.join(step.depends_on)}" if step.depends_on else "")
        for step in entry.plan.steps
    ]
    return f"by {entry.plan.origin} in {entry.seconds:.3f} s: {', '.join(steps)}"


@_line.register
def _(entry: j.ModelAnswered) -> str:
    return f"answer {entry.key} of {_who(entry.reply)}: {entry.reply.content[:WIDTH]!r}"


@_line.register
def _(entry: j.StepStarted) -> str:
    return f"attempt {entry.attempt} by {entry.worker} on {entry.host}"


@_line.register
def _(entry: j.StepTroubled) -> str:
    return f"attempt {entry.attempt}: {entry.reason.code}, {entry.reason.message}"


@_line.register
def _(entry: j.StepWaiting) -> str:
    return f"attempt {entry.attempt} waits: {entry.reason.code}, {entry.reason.message}"


@_line.register
def _(entry: j.StepEnded) -> str:
    result = entry.result
    why = f": {result.reason.code}, {result.reason.message}" if result.reason else ""
    return f"{result.state} in {result.seconds:.3f} s{why}"


@_line.register
def _(entry: j.ControlReceived) -> str:
    said = entry.control
    return f"{said.action} by {said.by}" + (f": {said.reason}" if said.reason else "")


@_line.register
def _(entry: j.TaskFinished) -> str:
    why = f": {entry.reason.code}, {entry.reason.message}" if entry.reason else ""
    return f"{entry.state}{why}"


def _who(reply: ChatReply) -> str:
    tokens = reply.prompt_tokens + reply.completion_tokens
    cached = ", cached" if reply.cache in ("hit", "coalesced") else ""
    return f"{reply.engine} {reply.model}".strip() + f" ({tokens} tokens{cached})"
