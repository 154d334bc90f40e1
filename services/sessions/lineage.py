"""Where a session comes from: forks and merges make a DAG, and a child sees what was before it.

Nothing is copied: what is forgotten in a parent is gone from its children too.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import aiosqlite

from services.sessions import queries
from services.sessions.queries import Place
from services.sessions.stored import stored_event
from shared.events import StoredEvent

OPENINGS = """
SELECT seq, body FROM event WHERE session = ? AND kind = 'session.opened' AND seq <= ?
"""
MOST = 256
"""Sessions that one may come from; a lineage that is larger is cut at the oldest."""

Ends = dict[str, int]
"""Session id to the last sequence that a child sees of it."""


def parents_of(events: Iterable[StoredEvent]) -> Ends:
    """Return the parents that openings name, each with the sequence at which it was left."""
    found: Ends = {}
    for event in events:
        for parent in _listed(event.data.get("parents")):
            name, seq = str(parent.get("session_id", "")), parent.get("seq")
            if name and isinstance(seq, int):
                found[name] = max(seq, found.get(name, 0))
    return found


def _listed(given: Any) -> list[dict[str, Any]]:
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


async def ancestors(reader: aiosqlite.Connection, place: Place) -> list[tuple[Place, int]]:
    """Return all sessions that this one comes from and where it leaves each, the nearest first."""
    found: dict[str, tuple[Place, int]] = {}
    waiting = list((await _parents(reader, place, place.last_seq)).items())
    while waiting and len(found) < MOST:
        name, end = waiting.pop(0)
        known = found.get(name)
        if known is not None and known[1] >= end:
            continue
        parent = known[0] if known else await queries.place(reader, name)
        if parent is None or parent.namespace != place.namespace or parent.id == place.id:
            continue
        found[name] = parent, end
        waiting += (await _parents(reader, parent, end)).items()
    return list(found.values())


async def inherited(reader: aiosqlite.Connection, place: Place) -> list[StoredEvent]:
    """Return what the ancestors held where this session left them, in the order of the stream."""
    events: list[StoredEvent] = []
    for parent, end in await ancestors(reader, place):
        events += await queries.events_of(reader, parent, up_to=end)
    return sorted(events, key=attrgetter("seq"))


async def find(reader: aiosqlite.Connection, session_id: str, event_id: str) -> StoredEvent | None:
    """Return an event of a session or of one that it comes from, or None."""
    own = await queries.event_of(reader, session_id, event_id)
    place = await queries.place(reader, session_id)
    if own is not None or place is None:
        return own
    for parent, end in await ancestors(reader, place):
        event = await queries.event_of(reader, parent.session_id, event_id)
        if event is not None and event.seq <= end:
            return event
    return None


async def _parents(reader: aiosqlite.Connection, place: Place, end: int) -> Ends:
    rows = await reader.execute_fetchall(OPENINGS, (place.id, end))
    return parents_of(stored_event(int(seq), body) for seq, body in rows)
