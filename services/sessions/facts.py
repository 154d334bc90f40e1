"""What a fact must hold by its kind, which fact it closes, and which of its words are searched."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.bus import invalid
from shared.errors import InvalidInput
from shared.events import EVENT_LIMIT, SessionEvent
from shared.events.tasks import Priority


class Data(BaseModel):
    """The `data` of a kind; unknown fields are kept as they are."""

    model_config = ConfigDict(extra="allow")


class Decision(Data):
    """`what` is the title when it is left out."""

    what: str = ""
    why: str = ""
    rejected: list[str] = Field(default_factory=list)
    impact: str = ""
    status: str = ""


class Pending(Data):
    """Something left open."""

    owner: str = ""
    due: str | None = None
    priority: Priority = Priority.NORMAL


class Closing(Data):
    """Names the `pending.add` event that is done or dropped."""

    pending: str


class Learning(Data):
    """Something found out; `confidence` from 0 to 1."""

    evidence: str | list[str] = ""
    confidence: float | None = Field(default=None, ge=0, le=1)


class Artifact(Data):
    """A file or object outside the journal."""

    uri: str = Field(min_length=1)
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class State(Data):
    """One key of the session's state; a null value removes it."""

    key: str = Field(min_length=1, max_length=200)
    value: Any


SHAPES: dict[str, type[Data]] = {
    "decision": Decision,
    "pending.add": Pending,
    "pending.done": Closing,
    "pending.drop": Closing,
    "learning": Learning,
    "artifact": Artifact,
    "state.set": State,
}

SEARCHED = ("what", "why", "impact", "status", "evidence", "rejected", "owner", "key", "value")
"""Fields of `data` whose words are searched, besides title, body and tags."""


SAID = ("what", "why", "rejected", "impact", "status", "value", "evidence", "owner", "priority")
"""Fields of `data` that a reader of the event is told."""


def check(event: SessionEvent) -> None:
    """Raise `InvalidInput`, naming the field, when `data` does not fit the kind, or on size."""
    shape = SHAPES.get(event.kind)
    if shape is not None:
        try:
            shape.model_validate(event.data)
        except ValidationError as error:
            raise _in_data(invalid(error), event.kind) from None
    size = len(event.model_dump_json())
    if size > EVENT_LIMIT:
        raise InvalidInput(
            f"event: {size} bytes are more than {EVENT_LIMIT}; put it in the object store and"
            " append an artifact that names it",
            field="body" if len(event.body) > EVENT_LIMIT // 2 else "data",
        )


def closes(event: SessionEvent) -> str | None:
    """Return the id of the event that this one closes, if any."""
    if event.kind in ("pending.done", "pending.drop"):
        return str(event.data.get("pending"))
    return event.supersedes


def searchable(event: SessionEvent) -> str:
    """Return the text of an event whose words are searched."""
    parts = [event.title, event.body, " ".join(event.tags)]
    for name in SEARCHED:
        value = event.data.get(name)
        parts += map(str, value) if isinstance(value, list | tuple) else [str(value or "")]
    return "\n".join(part for part in parts if part)


def said(event: SessionEvent) -> str:
    """Return what an event says beside its title: its body, and what its `data` tells readers."""
    told = ((name, event.data.get(name)) for name in SAID)
    rows = (f"{name}: {_flat(value)}" for name, value in told if value not in (None, "", []))
    return "\n".join(part for part in (event.body, "; ".join(rows)) if part)


def _flat(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def same(one: SessionEvent, other: SessionEvent) -> bool:
    """Tell whether two events say the same, whenever and wherever they were said."""
    fields = ("namespace", "session_id", "kind", "title", "body", "actor", "data", "supersedes")
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def _in_data(error: InvalidInput, kind: str) -> InvalidInput:
    return InvalidInput(f"{kind}: data.{error.message}", field=f"data.{error.field}")
