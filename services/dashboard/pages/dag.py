"""A plan as a drawing: steps in columns by what they depend on, lines between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from services.dashboard.pages import parts, words
from shared.events import StepView

WIDTH, HEIGHT, GAP_X, GAP_Y, EDGE = 216, 52, 44, 14, 2
SEEN = 7
"""Rows that a reader sees at once; columns are centred within them, so that all begin in sight."""


@dataclass(frozen=True)
class Box:
    """One step and its place."""

    step: StepView
    x: int
    y: int


def drawing(steps: Sequence[StepView]) -> Markup:
    """Return the plan as SVG; a plan with a circle in it is drawn without one."""
    boxes = _placed(steps)
    width = max((box.x for box in boxes.values()), default=0) + WIDTH + EDGE
    height = max((box.y for box in boxes.values()), default=0) + HEIGHT + EDGE
    edges = parts.join(
        _edge(boxes[name], box)
        for box in boxes.values()
        for name in box.step.depends_on
        if name in boxes
    )
    nodes = parts.join(_node(box) for box in boxes.values())
    return Markup(
        '<div class="scroll plan"><svg class="dag" width="{0}" height="{1}" viewBox="0 0 {0} {1}"'
        ' role="img" aria-label="{2}">{3}{4}</svg></div>'
    ).format(width, height, f"plan of {len(steps)} steps", edges, nodes)


def depth(steps: Sequence[StepView]) -> dict[str, int]:
    """Return each step's column: one more than the deepest that it depends on."""
    known = {step.id: step for step in steps}
    columns = dict.fromkeys(known, 0)
    for _ in steps:
        for step in steps:
            before = [columns[name] for name in step.depends_on if name in known]
            columns[step.id] = min(max(before, default=-1) + 1, len(steps) - 1)
    return columns


def _placed(steps: Sequence[StepView]) -> dict[str, Box]:
    columns = depth(steps)
    filled: dict[int, int] = {}
    tallest = max((list(columns.values()).count(c) for c in columns.values()), default=1)
    boxes = {}
    for step in steps:
        column = columns[step.id]
        inside = list(columns.values()).count(column)
        top = max(0, min(tallest, SEEN) - inside) * (HEIGHT + GAP_Y) // 2
        y = top + filled.get(column, 0) * (HEIGHT + GAP_Y) + EDGE
        filled[column] = filled.get(column, 0) + 1
        boxes[step.id] = Box(step, column * (WIDTH + GAP_X) + EDGE, y)
    return boxes


def _edge(start: Box, end: Box) -> Markup:
    x1, y1 = start.x + WIDTH, start.y + HEIGHT // 2
    x2, y2 = end.x, end.y + HEIGHT // 2
    middle = (x1 + x2) // 2
    return Markup('<path class="edge" d="M{} {}C{} {} {} {} {} {}"/>').format(
        x1, y1, middle, y1, middle, y2, x2, y2
    )


def _node(box: Box) -> Markup:
    step = box.step
    below = f"{step.agent} · {step.state.value}"
    return Markup(
        '<g class="{}"><title>{}</title><rect x="{}" y="{}" width="{}" height="{}" rx="8"/>'
        '<text x="{}" y="{}">{}</text><text class="small" x="{}" y="{}">{}</text></g>'
    ).format(
        parts.tone(step.state.value), words.cut(step.title, 400), box.x, box.y, WIDTH, HEIGHT,
        box.x + 12, box.y + 21, words.cut(step.title, 28), box.x + 12, box.y + 39,
        words.cut(below, 34),
    )  # fmt: skip
