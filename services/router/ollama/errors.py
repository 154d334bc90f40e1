"""Tells Ollama's errors apart: its words and status codes become our typed errors.

The words are those of ollama/ollama v0.33 (server/routes.go, server/sched.go).
"""

from __future__ import annotations

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
MISSING = ("not found", "try pulling it first", "file does not exist")
RETRY_AFTER_S = 2.0
CLIENT_ERROR = 400
SERVER_ERROR = 500
BUSY = (429, 503)
FORBIDDEN = (401, 403)


def from_status(status: int, message: str) -> SovereignError:
    """Return the typed error for a refusal before the first byte."""
    if any(words in message for words in TOO_LONG):
        return InputTooLong(message, field="messages")
    if status == 404 or any(words in message for words in MISSING):
        return ModelMissing(message, field="model")
    if status in BUSY:
        return Busy(f"Ollama: {message}", retry_after_s=RETRY_AFTER_S)
    if status in FORBIDDEN:
        return Refused(f"Ollama: {message}", field="model")
    if CLIENT_ERROR <= status < SERVER_ERROR or _callers_fault(message):
        return InvalidInput(f"Ollama: {message}", field=_field(message))
    return EngineFailed(f"Ollama: {message}")


def _callers_fault(message: str) -> bool:
    """Tell which of its 500s Ollama should have called 400."""
    return message.startswith(("invalid format", "option "))


def _field(message: str) -> str | None:
    known = {"tools": "tools", "thinking": "think", "format": "format", "option": "options"}
    return next((field for word, field in known.items() if word in message), None)
