"""What the caller's headers say of a request: whose it is, and how it may be served."""

from __future__ import annotations

from typing import Any

from services.router.door.call import Call
from services.router.names import split

FIELDS = {
    "x-sovereign-task": "task_id",
    "x-sovereign-step": "step_id",
    "x-sovereign-agent": "agent",
    "x-sovereign-cache": "cache",
    "x-sovereign-priority": "priority",
    "x-sovereign-timeout": "timeout_s",
    "x-sovereign-clouds": "clouds",
}

HEADERS = {field: name.title() for name, field in FIELDS.items()}
"""The names of the headers, by the field that they set."""


def wishes(call: Call) -> dict[str, Any]:
    """Return the fields of a chat request that the headers set, not yet checked.

    Rules stand in for a missing model only with `x-sovereign-offline: allow`: who speaks a
    vendor's language expects a model.
    """
    found = {field: call.header(name) for name, field in FIELDS.items()}
    given: dict[str, Any] = {field: value for field, value in found.items() if value}
    if "clouds" in given:
        given["clouds"] = split(given["clouds"])
    given["allow_offline"] = call.header("x-sovereign-offline") == "allow"
    return given
