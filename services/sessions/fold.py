"""A session's present state, folded from its facts in order: nothing in it is made up."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from shared.events import StoredEvent


class Head(BaseModel):
    """What a session has come to. Lists are in the order in which things were said.

    The title is the one it was opened with, else empty.
    """

    model_config = ConfigDict(extra="forbid")

    session_id: str
    namespace: str
    seq: int = 0
    events: int = 0
    title: str = ""
    opened: StoredEvent | None = None
    last: StoredEvent | None = None
    goal: str = ""
    status: str = "open"
    actors: list[str] = Field(default_factory=list)
    origins: list[StoredEvent] = Field(default_factory=list)
    pending: dict[str, StoredEvent] = Field(default_factory=dict)
    dropped: list[StoredEvent] = Field(default_factory=list)
    decisions: dict[str, StoredEvent] = Field(default_factory=dict)
    learnings: dict[str, StoredEvent] = Field(default_factory=dict)
    notes: dict[str, StoredEvent] = Field(default_factory=dict)
    done: list[StoredEvent] = Field(default_factory=list)
    failed: list[StoredEvent] = Field(default_factory=list)
    state: dict[str, StoredEvent] = Field(default_factory=dict)
    artifacts: dict[str, StoredEvent] = Field(default_factory=dict)
    handoffs: list[StoredEvent] = Field(default_factory=list)


def fold(events: Iterable[StoredEvent], session_id: str, namespace: str) -> Head:
    """Return the head of a session after `events`, in the order of the stream.

    Events of other sessions are those that it inherited: what they opened, decided and learned
    counts, their own beginnings, ends and handoffs do not.
    """
    head = Head(session_id=session_id, namespace=namespace)
    for event in events:
        advance(head, event)
    return head


def advance(head: Head, event: StoredEvent) -> None:
    """Take one more event into the head."""
    if event.session_id == head.session_id:
        _count(head, event)
    elif event.kind.startswith(("session.", "handoff.")):
        head.goal = _goal(event) or head.goal
        return
    if event.supersedes is not None:
        _supersede(head, event.supersedes)
    _STEPS.get(event.kind, _ignore)(head, event)


def _count(head: Head, event: StoredEvent) -> None:
    head.seq = event.seq
    head.events += 1
    head.opened = head.opened or event
    head.last = event
    if event.actor not in head.actors:
        head.actors.append(event.actor)


def _goal(event: StoredEvent) -> str:
    """Return the goal that an opening names."""
    opens = event.kind in ("session.opened", "session.resumed")
    return str(event.data.get("goal") or event.body) if opens else ""


def _ignore(head: Head, event: StoredEvent) -> None:
    """Messages and handoffs' acceptance change nothing in the state."""


def _supersede(head: Head, event_id: str) -> None:
    for live in (head.pending, head.decisions, head.learnings, head.notes):
        live.pop(event_id, None)


def _opened(head: Head, event: StoredEvent) -> None:
    head.status = "open"
    if event.kind == "session.opened":
        head.title = head.title or event.title
    head.goal = _goal(event) or head.goal
    if event.data.get("parents"):
        head.origins.append(event)


def _closed(head: Head, event: StoredEvent) -> None:
    head.status = "closed"


def _note(head: Head, event: StoredEvent) -> None:
    head.notes[event.event_id] = event


def _pending(head: Head, event: StoredEvent) -> None:
    head.pending[event.event_id] = event


def _pending_done(head: Head, event: StoredEvent) -> None:
    item = head.pending.pop(str(event.data.get("pending")), None)
    if item is not None and event.kind == "pending.done":
        head.done.append(event.model_copy(update={"data": event.data | {"item": item.title}}))
    elif item is not None:
        head.dropped.append(event)


def _decision(head: Head, event: StoredEvent) -> None:
    head.decisions[event.event_id] = event


def _learning(head: Head, event: StoredEvent) -> None:
    head.learnings[event.event_id] = event


def _done(head: Head, event: StoredEvent) -> None:
    head.done.append(event)


def _failed(head: Head, event: StoredEvent) -> None:
    head.failed.append(event)


def _state(head: Head, event: StoredEvent) -> None:
    key = str(event.data.get("key"))
    if event.data.get("value") is None:
        head.state.pop(key, None)
    else:
        head.state[key] = event


def _artifact(head: Head, event: StoredEvent) -> None:
    head.artifacts[str(event.data.get("uri"))] = event


def _handoff(head: Head, event: StoredEvent) -> None:
    head.handoffs.append(event)


_STEPS = {
    "session.opened": _opened,
    "session.resumed": _opened,
    "session.closed": _closed,
    "note": _note,
    "pending.add": _pending,
    "pending.done": _pending_done,
    "pending.drop": _pending_done,
    "decision": _decision,
    "learning": _learning,
    "task.done": _done,
    "task.failed": _failed,
    "state.set": _state,
    "artifact": _artifact,
    "handoff.made": _handoff,
    "handoff.accepted": _handoff,
}
