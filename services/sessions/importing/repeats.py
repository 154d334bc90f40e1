"""What an import would say again: the same fact in the words of an event that still holds."""

from __future__ import annotations

import orjson

from services.sessions.fold import Head
from services.sessions.words import folded
from shared.events import SessionEvent

Key = tuple[str, ...]


def known_of(head: Head) -> set[Key]:
    """Return the keys of all that a session says now, its title and goal included."""
    live = (head.pending, head.decisions, head.learnings, head.notes, head.state, head.artifacts)
    keys = {key_of(event) for part in live for event in part.values()}
    keys |= {key_of(event) for event in head.done}
    titles = {head.session_id, *([head.opened.title] if head.opened else [])}
    return keys | {("note", _flat(title), _flat(head.goal)) for title in titles}


def key_of(event: SessionEvent) -> Key:
    """Return what makes an event the same fact as another one."""
    if event.kind == "state.set":
        value = orjson.dumps(event.data.get("value"), option=orjson.OPT_SORT_KEYS).decode()
        return event.kind, str(event.data.get("key")), value
    if event.kind == "artifact":
        return event.kind, str(event.data.get("uri"))
    if event.kind in ("decision", "learning", "pending.add"):
        return event.kind, _flat(event.title)
    return event.kind, _flat(event.title), _flat(event.body)


def _flat(text: str) -> str:
    return " ".join(folded(text).split())
