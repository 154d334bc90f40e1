"""From the bytes of an HTTP body to typed tasks, with an error that names index and field."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import ValidationError

from shared.bus import invalid
from shared.errors import InvalidInput
from shared.events import TaskControl, TaskRequest

MOST_TASKS = 100


def json_of(data: bytes) -> Any:
    """Return the JSON value of a body; `InvalidInput` says where it breaks."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        line = f"malformed JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        raise InvalidInput(line, field="body") from None


def tasks_of(body: Any) -> list[TaskRequest]:
    """Return the tasks of a JSON value: an array of 1 to 100 objects, or one object."""
    items = body if isinstance(body, list) else [body]
    if not 1 <= len(items) <= MOST_TASKS:
        raise InvalidInput(f"give 1 to {MOST_TASKS} tasks, not {len(items)}", field="body")
    tasks = [_task(index, item) for index, item in enumerate(items)]
    _refuse_twins(tasks)
    return tasks


def _task(index: int, item: Any) -> TaskRequest:
    if not isinstance(item, dict):
        raise InvalidInput(f"{index}: a task is a JSON object", field=str(index))
    try:
        return TaskRequest.model_validate_json(orjson.dumps(item))
    except ValidationError as error:
        found = invalid(error)
        field = f"{index}.{found.field}"
        raise InvalidInput(f"task {index}: {found.message}", field=field) from None


def _refuse_twins(tasks: list[TaskRequest]) -> None:
    seen: set[str] = set()
    for index, task in enumerate(tasks):
        if task.task_id is not None and task.task_id in seen:
            field = f"{index}.task_id"
            raise InvalidInput(f"task {index}: {task.task_id} is in this list twice", field=field)
        seen.add(task.task_id or "")


def control_of(task_id: str, action: str, data: bytes) -> TaskControl:
    """Return a person's word on a task; the body is optional: `step`, `reason`, `by`."""
    body = json_of(data) if data.strip() else {}
    if not isinstance(body, dict):
        raise InvalidInput("the body is a JSON object or empty", field="body")
    try:
        return TaskControl.model_validate({**body, "task_id": task_id, "action": action})
    except ValidationError as error:
        raise invalid(error) from None
