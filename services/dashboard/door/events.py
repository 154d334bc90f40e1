"""A task's events as they happen (server-sent events), and its journal as JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from services.dashboard.desk import Desk
from services.dashboard.following import follow
from services.dashboard.journal import LONGEST_TEXT, entries
from shared.errors import NotFound, SovereignError


class EventStream(Response):
    """Sends frames until they end, the reader hangs up or the dashboard leaves."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[bytes], closing: anyio.Event) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._frames = frames
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)

        async def hang_up() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        async with anyio.create_task_group() as tasks:

            async def end_after(wait: Callable[[], Awaitable[object]]) -> None:
                await wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(end_after, hang_up)
            tasks.start_soon(end_after, self._closing.wait)
            await self._send_all(send)
            tasks.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _send_all(self, send: Send) -> None:
        """Send every frame; a bus that is lost ends the stream, and the reader comes again."""
        async with aclosing(self._frames) as frames:  # type: ignore[type-var]
            try:
                async for one in frames:
                    await send({"type": "http.response.body", "body": one, "more_body": True})
            except SovereignError as error:
                line = f": {error.code}\n\n".encode()
                await send({"type": "http.response.body", "body": line, "more_body": True})


def routes(desk: Desk) -> APIRouter:
    """Return `/tasks/{task_id}/events` and `/tasks/{task_id}/journal`."""
    router = APIRouter(tags=["tasks"], prefix="/tasks")

    @router.get("/{task_id}/events", response_class=EventStream, status_code=200)
    async def events(
        task_id: str,
        last_event_id: Annotated[int, Header(ge=0)] = 0,
        after: Annotated[int, Query(ge=0)] = 0,
    ) -> EventStream:
        """Server-sent events: `journal` (resumable by its id), `live`, and `end` at the end."""
        await _must_be_known(desk, task_id)
        return EventStream(follow(desk, task_id, max(after, last_event_id)), desk.closing)

    @router.get("/{task_id}/journal")
    async def journal(
        task_id: str, after: Annotated[int, Query(ge=0)] = 0, whole: bool = False
    ) -> dict[str, Any]:
        """The entries of a task's journal; `whole=true` does not cut long texts."""
        await _must_be_known(desk, task_id)
        found = await entries(desk.bus, task_id, after, longest=0 if whole else LONGEST_TEXT)
        return {"task_id": task_id, "entries": [one.as_json() for one in found]}

    return router


async def _must_be_known(desk: Desk, task_id: str) -> None:
    if await desk.view(task_id) is None:
        raise NotFound(f"no task {task_id}", field="task_id")
