"""Files over HTTP: large attachments before their task, artifacts after it."""

from __future__ import annotations

import mimetypes
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from services.dashboard.desk import Desk
from services.dashboard.files import Files, pieces_of

SHOWN = frozenset({"text/plain", "text/markdown", "text/csv", "application/json"})
"""Types that a browser may show; whatever could run is handed over as a mere file."""

BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def routes(desk: Desk, files: Files) -> APIRouter:
    """Return `/attachments` and `/tasks/{task_id}/artifacts/{name}`."""
    router = APIRouter(tags=["tasks"])

    @router.post("/attachments", status_code=201, openapi_extra=BODY)
    async def attached(
        request: Request,
        name: Annotated[str, Query(min_length=1, max_length=255)],
        media_type: Annotated[str, Query(max_length=200)] = "",
    ) -> dict[str, Any]:
        """Keep a file of up to 64 MiB, streamed; the answer goes into a task's `attachments`."""
        desk.must_be_writable()
        kind = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        kept = await files.keep(name, kind, request.stream())
        attachment = kept.attachment().model_dump(mode="json", exclude_none=True)
        return {**attachment, "size": kept.size}

    @router.get("/tasks/{task_id}/artifacts/{name}", response_class=StreamingResponse)
    async def artifact(task_id: str, name: str) -> StreamingResponse:
        """A file that the task made, checked against its digest."""
        info, file = await files.artifact(task_id, name)
        kind = mimetypes.guess_type(name)[0] or "text/plain"
        safe = kind if kind in SHOWN else "application/octet-stream"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(info.size),
        }
        return StreamingResponse(pieces_of(file), media_type=safe, headers=headers)

    return router
