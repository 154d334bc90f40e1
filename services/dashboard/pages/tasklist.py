"""Tasks as rows: state, title, steps, priority, engine, age."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from services.dashboard.pages import parts, words
from services.dashboard.store import Store
from shared.clock import now
from shared.events import TaskState, TaskView
from shared.events.tasks import FINAL_STATES

HEADS = ("State", "Task", "~Steps", "~Priority", "~Engine", ">Took", "~>Handed in")
TEACH = Markup(
    "Hand one in on the <a class='link' href='/dashboard/tasks'>tasks page</a>, or from any shell: "
    '<code>sovereign task submit "Compare the two offers"</code>'
)


def task_rows(store: Store, views: Sequence[TaskView]) -> Markup:
    """Return the tasks as a short list, or how to make the first one."""
    if not views:
        return parts.empty("No task yet", TEACH)
    rows = parts.join(_short(view) for view in views)
    return Markup('<div class="rows">{}</div>').format(rows)


def task_table(store: Store, views: Sequence[TaskView]) -> Markup:
    """Return the tasks as a table."""
    return parts.table(HEADS, [_row(view) for view in views])


def took(view: TaskView) -> float | None:
    """Return the seconds in which steps were worked on; waits, queues and pauses do not count.

    None before the first step began. A task that ended without one took from hand-in to its end.
    """
    over = view.state in FINAL_STATES
    spans = _spans(view, view.updated_at if over else now())
    if not spans:
        return words.since(view.created_at, view.updated_at) if over else None
    total, end = 0.0, spans[0][0]
    for start, stop in spans:
        total += max(0.0, (stop - max(start, end)).total_seconds())
        end = max(end, stop)
    return total


def _spans(view: TaskView, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return from when to when each step was worked on, the earliest first."""
    return sorted(
        (step.started_at, step.finished_at or end)
        for step in view.steps
        if step.started_at and (step.finished_at or step.state == TaskState.RUNNING)
    )


def _short(view: TaskView) -> Markup:
    return Markup(
        '<a class="row-item" id="short-{0}" href="/dashboard/tasks/{0}">'
        '<span style="width:84px;flex:none">{1}</span><span class="grow">{2}</span>'
        '<span class="late">{3}</span><span class="muted num nowrap">{4}</span></a>'
    ).format(
        view.task_id, parts.word(view.state.value), parts.line(view.title),
        parts.segments(step.state for step in view.steps), words.duration(took(view)),
    )  # fmt: skip


def _row(view: TaskView) -> Markup:
    steps = parts.segments(step.state for step in view.steps) if view.steps else words.DASH
    age = words.ago(words.since(view.created_at, now()))
    cells = (
        parts.cell(parts.word(view.state.value)),
        parts.cell(parts.task_link(view.task_id, view.title), "wide"),
        parts.cell(steps, "late nowrap"),
        parts.cell(view.priority.value, "late soft"),
        parts.cell(view.engine or words.DASH, "late soft nowrap"),
        parts.cell(words.duration(took(view)), "right num nowrap"),
        parts.cell(age, "late right num nowrap muted"),
    )
    return parts.row(cells, f"task-{view.task_id}", "hit")
