"""Tells Ollama's errors apart: its words and status codes become our typed errors.

The words are those of ollama/ollama v0.33 (server/routes.go, server/sched.go).
"""

from __future__ import annotations

import re

from shared.errors import (
    Busy,
    EngineFailed,
    InputTooLong,
    InvalidInput,
    ModelMissing,
    Refused,
    SovereignError,
)

TOO_LONG = ("longer than the context length", "exceeds the context length", "too long")
MISSING = re.compile(r"\bmodel\b.* not found|try pulling it first|manifest: file does not exist")
CALLERS = (
    "invalid format",
    "invalid JSON schema",
    "option ",
    "Failed to create new sequence: no in",
)
"""How those of its 500s begin that Ollama should have called 400."""
FIELDS = {
    "no input": "messages", "model name": "model", "tools": "tools", "thinking": "think",
    "format": "format", "schema": "format", "grammar": "format", "option": "options",
    "image": "messages.images", "base64": "messages.images",
}  # fmt: skip
RETRY_AFTER_S = 2.0
CLIENT_ERROR = 400
SERVER_ERROR = 500
BUSY = (429, 503)
FORBIDDEN = (401, 403)


def from_status(status: int, message: str) -> SovereignError:
    """Return the typed error for a refusal before the first byte."""
    if any(words in message for words in TOO_LONG):
        return InputTooLong(message, field="messages")
    if status == 404 or MISSING.search(message):
        return ModelMissing(message, field="model")
    if status in BUSY:
        return Busy(f"Ollama: {message}", retry_after_s=RETRY_AFTER_S)
    if status in FORBIDDEN:
        return Refused(f"Ollama: {message}", field="model")
    if CLIENT_ERROR <= status < SERVER_ERROR or message.startswith(CALLERS):
        return InvalidInput(f"Ollama: {message}", field=_field(message))
    return EngineFailed(f"Ollama: {message}")


def _field(message: str) -> str | None:
    return next((field for word, field in FIELDS.items() if word in message), None)
