"""What the bus holds of tasks: their views, and their final results."""

from __future__ import annotations

from typing import TypeVar

from nats.js.errors import NotFoundError
from pydantic import BaseModel, ValidationError

from shared.bus import Bus
from shared.clock import now
from shared.errors import NotFound
from shared.events.base import Reason
from shared.events.tasks import Priority, TaskRequest, TaskResult, TaskState, TaskView
from shared.reading import BATCH, Stored, last_of, read_page, read_subject
from shared.streams import RESULTS, TASK_VIEWS, TASKS
from shared.subjects import agent_result, token

LOOKED_AT = 20
"""Pages of the queue that are searched for one task."""
VIEWS = f"KV_{TASK_VIEWS.name}"
Kind = TypeVar("Kind", bound=BaseModel)


def view_subject(task_id: str) -> str:
    """Return the subject under which the bucket `tasks` stores one task's view."""
    return f"$KV.{TASK_VIEWS.name}.{token(task_id, 'task_id')}"


async def view_of(bus: Bus, task_id: str) -> TaskView | None:
    """Return the present view of a task, or None before the manager has taken it."""
    return parse(await last_of(bus, VIEWS, view_subject(task_id)), TaskView)


async def result_of(bus: Bus, task_id: str) -> TaskResult | None:
    """Return the final result of a task, or None while it has none."""
    stored = await last_of(bus, RESULTS.name, agent_result("crew", task_id))
    return parse(stored, TaskResult)


async def acknowledged(bus: Bus, task_id: str) -> TaskView | None:
    """Return the view of a task that is stored and that no manager has taken yet, or None."""
    after = 0
    for _ in range(LOOKED_AT):
        page = await read_page(bus, TASKS.name, "task.request.*", after)
        for stored in page:
            task = parse(stored, TaskRequest)
            if task is not None and task.task_id == task_id:
                return await _queued(bus, stored, task)
        if len(page) < BATCH:
            return None
        after = page[-1].seq
    return None


async def _queued(bus: Bus, stored: Stored, task: TaskRequest) -> TaskView:
    try:
        at = (await bus.js.get_msg(TASKS.name, stored.seq)).time or now()
    except NotFoundError:  # taken this very moment
        at = now()
    return TaskView(
        task_id=str(task.task_id),
        title=task.title,
        priority=Priority(stored.subject.split(".")[-1]),
        state=TaskState.QUEUED,
        created_at=at,
        updated_at=at,
        reason=Reason(code="queued", message="stored; no manager has taken it yet"),
        session=task.session,
    )


async def known(bus: Bus, task_id: str) -> TaskView:
    """Return the view of a task; raise `NotFound` with the next command."""
    found = await view_of(bus, task_id)
    if found is None:
        raise NotFound(
            f"no task {task_id}: `sovereign task list` shows those that the manager has taken"
        )
    return found


async def recent(bus: Bus, limit: int, state: TaskState | None = None) -> list[TaskView]:
    """Return the `limit` tasks that changed last, the latest first; all but `state` left out."""
    try:
        last = (await bus.js.stream_info(VIEWS)).state.last_seq
    except NotFoundError:
        return []
    window = 4 * limit
    while True:
        stored = await read_subject(bus, VIEWS, f"$KV.{TASK_VIEWS.name}.*", max(0, last - window))
        views = [view for one in reversed(stored) if (view := parse(one, TaskView))]
        fitting = [view for view in views if state in (None, view.state)]
        if len(fitting) >= limit or window >= last:
            return fitting[:limit]
        window *= 4


def parse(stored: Stored | None, kind: type[Kind]) -> Kind | None:
    """Return the body, or None for nothing, a deletion, or what is not such a body."""
    if stored is None or not stored.data:
        return None
    try:
        return kind.model_validate_json(stored.data)
    except ValidationError:
        return None
