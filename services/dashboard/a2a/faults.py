"""Errors as A2A 1.0 and JSON-RPC 2.0 number them."""

from __future__ import annotations

from typing import Any

from shared.errors import InvalidInput, NotFound, SovereignError

DOMAIN = "a2a-protocol.org"
INFO = "type.googleapis.com/google.rpc.ErrorInfo"


class Fault(Exception):
    """A call that cannot be served; `code` and `reason` are the protocol's."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message

    def body(self) -> dict[str, Any]:
        """Return the `error` member of a JSON-RPC response."""
        info = {"@type": INFO, "reason": self.reason, "domain": DOMAIN}
        return {"code": self.code, "message": self.message, "data": [info]}


def no_task(task_id: str) -> Fault:
    """Return the fault for an id that nobody knows."""
    return Fault(-32001, "TASK_NOT_FOUND", f"there is no task {task_id}")


def not_cancelable(line: str) -> Fault:
    """Return the fault for a task that has ended."""
    return Fault(-32002, "TASK_NOT_CANCELABLE", line)


def unsupported(line: str) -> Fault:
    """Return the fault for what the protocol knows and this door does not do."""
    return Fault(-32004, "UNSUPPORTED_OPERATION", line)


def unreadable(line: str) -> Fault:
    """Return the fault for a part that no agent here can read."""
    return Fault(-32005, "CONTENT_TYPE_NOT_SUPPORTED", line)


def wrong_version(line: str) -> Fault:
    """Return the fault for another version of the protocol."""
    return Fault(-32009, "VERSION_NOT_SUPPORTED", line)


def wrong_request(line: str) -> Fault:
    """Return the fault for what is no JSON-RPC request."""
    return Fault(-32600, "INVALID_REQUEST", line)


def wrong_params(line: str) -> Fault:
    """Return the fault for parameters that do not fit; the line names the field."""
    return Fault(-32602, "INVALID_PARAMS", line)


def of(error: SovereignError) -> Fault:
    """Return the fault that says what one of our errors says."""
    if isinstance(error, InvalidInput):
        return wrong_params(error.message)
    if isinstance(error, NotFound):
        return Fault(-32001, "TASK_NOT_FOUND", error.message)
    return Fault(-32603, "INTERNAL_ERROR", f"{error.code}: {error.message}")
