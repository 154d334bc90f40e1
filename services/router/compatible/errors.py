"""Tells litellm's errors apart by their class and status."""

from __future__ import annotations

import contextlib
import re

from shared.errors import (
    Busy,
    EngineFailed,
    InputTooLong,
    InvalidInput,
    ModelMissing,
    Refused,
    SovereignError,
    TimedOut,
    Unavailable,
)

RETRY_AFTER_S = 2.0
LONGEST_S = 3600.0
TOO_LONG = ("context length", "context size")
"""Words of vLLM and llama-server that litellm does not know."""
WRAPPED = re.compile(r"\b(litellm\.)?(\w+Error: |\w+Exception - )| Original exception: .*", re.S)
"""The names of classes that litellm puts around the words of the server, one in another."""
BY_STATUS: dict[int, type[SovereignError]] = {
    400: InvalidInput,
    401: Refused,
    403: Refused,
    404: ModelMissing,
    408: TimedOut,
    422: InvalidInput,
}


def translate(error: Exception) -> SovereignError:
    """Return the typed error for what litellm raised."""
    kind = type(error).__name__
    message = f"{kind}: {WRAPPED.sub('', str(error))}"[:300]
    if kind == "ContextWindowExceededError" or any(words in message for words in TOO_LONG):
        return InputTooLong(message, field="messages")
    if kind in ("APIConnectionError", "ConnectError") or _unreachable(error):
        return Unavailable(message)
    status = getattr(error, "status_code", None)
    if status in (429, 503):
        return Busy(message, retry_after_s=_retry_after_s(error))
    found = BY_STATUS.get(status) if isinstance(status, int) else None
    return (found or EngineFailed)(message)


def _retry_after_s(error: Exception) -> float:
    """Return what the vendor asks for; a date instead of seconds is not read."""
    headers = getattr(error, "litellm_response_headers", None) or {}
    with contextlib.suppress(KeyError, TypeError, ValueError):
        return min(LONGEST_S, max(RETRY_AFTER_S, float(headers["retry-after"])))
    return RETRY_AFTER_S


def _unreachable(error: BaseException) -> bool:
    """Tell whether nobody listened: litellm wraps that in an error with status 500."""
    cause: BaseException | None = error
    while cause is not None:
        if type(cause).__name__ in ("ConnectError", "ClientConnectorError"):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
