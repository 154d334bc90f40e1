"""Every failure in one form: `{"error": {code, message, field, retryable, retry_after_s}}`."""

from __future__ import annotations

import math

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from shared.errors import InvalidInput, NotFound, Refused, SovereignError

BY_STATUS: dict[int, type[SovereignError]] = {
    404: NotFound,
    403: Refused,
    405: InvalidInput,
    422: InvalidInput,
}


def install(app: FastAPI) -> None:
    """Answer every error of `app` in the one form."""
    app.add_exception_handler(SovereignError, _typed)
    app.add_exception_handler(RequestValidationError, _wrong_parameter)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(Exception, _unexpected)


def response(error: SovereignError, status: int | None = None) -> JSONResponse:
    """Return the HTTP answer of an error, with `Retry-After` where it knows one."""
    wait = error.retry_after_s
    headers = {"Retry-After": str(math.ceil(wait))} if wait is not None else None
    return JSONResponse(error.envelope(), status or error.http_status, headers=headers)


async def refuse(error: SovereignError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the error; a websocket is closed before it was opened."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": error.message[:100]})
        return
    await response(error)(scope, receive, send)


async def _typed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SovereignError)  # noqa: S101 - the type it was registered for
    return response(error)


async def _wrong_parameter(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    field = str(first["loc"][-1])
    return response(InvalidInput(f"{field}: {first['msg']}", field=field))


async def _plain(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    kind = BY_STATUS.get(error.status_code, SovereignError)
    line = f"{request.method} {request.url.path}: {error.detail}"[:300]
    answer = response(kind(line), error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    return response(SovereignError(f"{type(error).__name__} in {request.url.path}"[:300]))
