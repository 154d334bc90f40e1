"""A task's steps in the order of the work, drawn as an indented tree of dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.events.base import Usage
from shared.events.tasks import StepView

MARKS = {
    "queued": "·", "planning": "…", "running": "▶", "waiting": "‖",
    "done": "✓", "failed": "✗", "cancelled": "–", "rejected": "✗",
}  # fmt: skip
COLUMNS = ("step", "agent", "state", "time", "engine", "tokens", "where", "title")


def depths(steps: Sequence[StepView]) -> dict[str, int]:
    """Return each step's distance from the steps that wait for nobody; a cycle stops at 8."""
    found = {step.id: 0 for step in steps}
    for _ in range(min(len(steps), 8)):
        for step in steps:
            before = [found[parent] + 1 for parent in step.depends_on if parent in found]
            found[step.id] = min(max(before, default=0), 8)
    return found


def rows(steps: Sequence[StepView], present: datetime) -> list[tuple[str, ...]]:
    """Return one row a step under `COLUMNS`, what depends on others below them, indented."""
    level = depths(steps)
    ordered = sorted(steps, key=lambda step: level[step.id])
    return [
        (
            f"{'  ' * level[step.id]}{MARKS.get(step.state, '?')} {step.id}",
            step.agent,
            str(step.state),
            seconds(step, present),
            step.engine,
            str(step.tokens) if step.finished_at is not None else "",
            step.host,
            _title(step),
        )
        for step in ordered
    ]


def seconds(step: StepView, present: datetime) -> str:
    """Return the time that a step took, or has been running."""
    if step.seconds is not None and step.finished_at is not None:
        return f"{step.seconds:.1f} s"
    if step.started_at is None:
        return ""
    return f"{max(0.0, (present - step.started_at).total_seconds()):.0f} s"


def tokens(usage: Usage) -> int:
    """Return all tokens, in and out."""
    return usage.prompt_tokens + usage.completion_tokens


def _title(step: StepView) -> str:
    """Return the title, what it waits for in front of why it does."""
    after = f" (after {', '.join(step.depends_on)})" if step.depends_on else ""
    why = f": {step.reason.message}" if step.reason is not None else ""
    return f"{step.title}{after}{why}"
