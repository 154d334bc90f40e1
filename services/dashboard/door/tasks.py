"""Tasks over HTTP: hand in, wait, look up, cancel, approve, reject, retry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.dashboard.desk import Desk, Ticket, with_id
from services.dashboard.parsing import control_of, json_of, tasks_of
from services.dashboard.plain import plain
from services.dashboard.waiting import listening
from shared.errors import NotFound, TimedOut, Unavailable
from shared.events import TaskRequest, TaskResult, TaskState
from shared.runs import present

Word = Literal["cancel", "approve", "reject", "retry", "pause", "resume"]
LONGEST_WAIT_S = 600.0
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": TaskRequest.model_json_schema()},
                "example": [{"title": "Compare the two offers", "priority": "high"}],
            }
        },
    }
}


def routes(desk: Desk) -> APIRouter:
    """Return all routes under `/tasks`."""
    router = APIRouter(tags=["tasks"], prefix="/tasks")

    @router.post("/execute", openapi_extra=BODY)
    async def execute(
        request: Request, wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT_S)] = 0
    ) -> JSONResponse:
        """Hand in an array of 1 to 100 tasks, or one object; all or none if any is malformed.

        With `?wait=SECONDS` the answer carries the results of those that end in time.
        """
        tasks = [with_id(task) for task in tasks_of(json_of(await request.body()))]
        return JSONResponse(await _execute(desk, tasks, wait, request))

    @router.get("")
    async def listed(
        state: TaskState | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> dict[str, Any]:
        """The latest tasks, the newest first."""
        views = desk.store.crew.latest(limit, state)
        return {"tasks": [plain(view) for view in views], "count": len(views)}

    @router.get("/{task_id}")
    async def shown(task_id: str) -> dict[str, Any]:
        """One task as it stands, and its result when it is over."""
        return await show(desk, task_id)

    @router.post("/{task_id}/{action}")
    async def spoken(task_id: str, action: Word, request: Request) -> JSONResponse:
        """Cancel, approve, reject or retry; the body may hold `step`, `reason`, `by`."""
        word = control_of(task_id, action, await request.body())
        await desk.control(word)
        return JSONResponse({"task_id": task_id, "action": action, "accepted": True}, 202)

    return router


async def show(desk: Desk, task_id: str) -> dict[str, Any]:
    """Return view and result of a task; `NotFound` when nobody ever heard of it.

    While a retry is under way the result of the run before is told as `earlier`.
    While the bus is away the last view that was heard here is answered, with `missing`.
    """
    missing: list[str] = []
    try:
        view, result = await desk.view(task_id), await desk.result(task_id)
    except (Unavailable, TimedOut) as error:
        view, result = desk.store.crew.tasks.get(task_id), None
        missing.append(error.message)
        if view is None:
            raise
    if view is None and result is None:
        raise NotFound(f"no task {task_id}", field="task_id")
    return {
        "task_id": task_id,
        "state": view.state if view else result.state if result else None,
        "task": plain(view),
        "waiting": _waits(desk, task_id),
        "result": plain(present(view, result)),
        "earlier": None if present(view, result) else plain(result),
        "missing": missing,
    }


def _waits(desk: Desk, task_id: str) -> list[dict[str, str]]:
    return [
        {"step_id": one.step_id, "code": one.code, "message": one.message}
        for one in desk.store.crew.waits.values()
        if one.task_id == task_id
    ]


async def _execute(
    desk: Desk, tasks: Sequence[TaskRequest], wait_s: float, request: Request
) -> list[dict[str, Any]]:
    """Submit; listening begins before, so that a quick result is not missed."""
    if not wait_s:
        return [await _at_once(desk, ticket) for ticket in await desk.submit(tasks)]
    async with listening(desk, [str(task.task_id) for task in tasks]) as results:
        tickets = await desk.submit(tasks)
        await _patiently(desk, request, lambda: results.all(wait_s))
        return [await _answer(desk, ticket, results.found) for ticket in tickets]


async def _patiently(desk: Desk, request: Request, wait: Callable[[], Awaitable[None]]) -> None:
    """Wait, but not for a caller that has hung up, and not when the dashboard leaves."""

    async def hang_up() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        tasks.cancel_scope.cancel()

    async def close() -> None:
        await desk.closing.wait()
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hang_up)
        tasks.start_soon(close)
        await wait()
        tasks.cancel_scope.cancel()


async def _at_once(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """Return a new task as queued, and one that had been handed in before as it stands."""
    if ticket.duplicate:
        return await _answer(desk, ticket, {})
    return _form(ticket, TaskState.QUEUED, None)


async def _answer(desk: Desk, ticket: Ticket, found: dict[str, TaskResult]) -> dict[str, Any]:
    """Return what is known of one submitted task now."""
    result = found.get(ticket.task_id)
    if result is None and ticket.duplicate:
        result = await desk.result(ticket.task_id)
    state = result.state if result else await desk.state(ticket.task_id)
    return _form(ticket, state, result)


def _form(ticket: Ticket, state: TaskState, result: TaskResult | None) -> dict[str, Any]:
    return {
        "task_id": ticket.task_id,
        "state": state,
        "title": ticket.task.title,
        "priority": ticket.priority,
        "duplicate": ticket.duplicate,
        "url": f"/tasks/{ticket.task_id}",
        "result": plain(result),
    }
