"""Reading the index. Every question names its namespace; another one's session is not found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiosqlite

from services.sessions.stored import stored_event
from shared.errors import NotFound
from shared.events import SessionInfo, StoredEvent

SESSION = "SELECT id, namespace, last_seq, status, session_id FROM session WHERE session_id = ?"
EVENT = """
SELECT event.seq, event.body FROM event JOIN session ON session.id = event.session
WHERE session.session_id = ? AND event_id = ?
"""
IDS = """
SELECT event_id, seq FROM event JOIN session ON session.id = event.session WHERE session_id = ?
"""
EVENTS = """
SELECT seq, body FROM event WHERE session = ? AND seq > ? AND (? IS NULL OR seq <= ?)
ORDER BY seq LIMIT ?
"""
HANDED_OVER = """
SELECT session.session_id FROM event JOIN session ON session.id = event.session
WHERE event.kind = 'handoff.made' AND session.namespace = ? AND session.session_id != ?
    AND event.seq < coalesce((
        SELECT min(own.seq) FROM event AS own JOIN session AS mine ON mine.id = own.session
        WHERE mine.session_id = ?), 9223372036854775807)
ORDER BY event.seq DESC LIMIT 1
"""
SESSIONS = """
SELECT session_id, namespace, iif(title = '', session_id, title), status, first_at, last_at,
    (SELECT count(*) FROM event WHERE session = session.id) AS events,
    (SELECT count(*) FROM event WHERE session = session.id
        AND kind = 'pending.add' AND closed_by IS NULL) AS open_items
FROM session WHERE namespace = ? ORDER BY last_seq DESC LIMIT ?
"""


@dataclass(frozen=True)
class Place:
    """Where a session stands in the index."""

    id: int
    namespace: str
    last_seq: int
    status: str
    session_id: str


async def place(reader: aiosqlite.Connection, session_id: str) -> Place | None:
    """Return where a session stands, whatever its namespace; None when it is unknown."""
    rows = await reader.execute_fetchall(SESSION, (session_id,))
    return next((Place(*row) for row in rows), None)


async def owned(reader: aiosqlite.Connection, namespace: str, session_id: str) -> Place:
    """Return the place of a session of this namespace; raise `NotFound` for any other."""
    found = await place(reader, session_id)
    if found is None or found.namespace != namespace:
        raise NotFound(f"no session {session_id} in namespace {namespace}", field="session_id")
    return found


async def event_of(
    reader: aiosqlite.Connection, session_id: str, event_id: str
) -> StoredEvent | None:
    """Return one event of a session, or None."""
    rows = await reader.execute_fetchall(EVENT, (session_id, event_id))
    return next((stored_event(int(seq), data) for seq, data in rows), None)


async def ids_of(reader: aiosqlite.Connection, session_id: str) -> dict[str, int]:
    """Return event id to sequence for a whole session."""
    rows = await reader.execute_fetchall(IDS, (session_id,))
    return {str(event_id): int(seq) for event_id, seq in rows}


async def events_of(
    reader: aiosqlite.Connection,
    found: Place,
    after_seq: int = 0,
    limit: int = -1,
    up_to: int | None = None,
) -> list[StoredEvent]:
    """Return events of a session in order; a limit of -1 means all."""
    given = (found.id, after_seq, up_to, up_to, limit)
    rows = await reader.execute_fetchall(EVENTS, given)
    return [stored_event(int(seq), data) for seq, data in rows]


async def handed_over_before(
    reader: aiosqlite.Connection, namespace: str, session_id: str
) -> str | None:
    """Return the session of the namespace that was handed over last before this one began."""
    given = (namespace, session_id, session_id)
    rows = await reader.execute_fetchall(HANDED_OVER, given)
    return next((str(row[0]) for row in rows), None)


async def sessions_of(
    reader: aiosqlite.Connection, namespace: str, limit: int
) -> list[SessionInfo]:
    """Return the sessions of a namespace, the last written first."""
    names = (
        "session_id", "namespace", "title", "status", "first_at", "last_at", "events", "open_items",
    )  # fmt: skip
    rows = await reader.execute_fetchall(SESSIONS, (namespace, limit))
    return [_info(dict(zip(names, row, strict=True))) for row in rows]


def _info(row: dict[str, Any]) -> SessionInfo:
    return SessionInfo.model_validate(row)
