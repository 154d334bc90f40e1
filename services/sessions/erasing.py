"""Taking facts out of the index so that neither a search nor the file's bytes show them."""

from __future__ import annotations

from collections.abc import Mapping

import aiosqlite

from services.sessions import words
from services.sessions.facts import searchable
from services.sessions.stored import Fact, stored_event

SELECT = """
SELECT event.seq, event.body FROM event JOIN session ON session.id = event.session
WHERE session.session_id = ? AND session.namespace = ? AND event.seq < ?
"""
TITLE = """
UPDATE session SET title = coalesce((
    SELECT json_extract(CAST(body AS TEXT), '$.title') FROM event
    WHERE session = session.id AND kind = 'session.opened' ORDER BY seq LIMIT 1
), '') WHERE session_id = ?
"""
SNAPSHOT = "DELETE FROM snapshot WHERE session IN (SELECT id FROM session WHERE session_id = ?)"
ERASED = "INSERT OR REPLACE INTO about VALUES ('erased', ?)"
DELETE_WORDS = "INSERT INTO words(words, rowid, text) VALUES ('delete', ?, ?)"


async def erase(
    writer: aiosqlite.Connection, tombstone: Fact, namespaces: Mapping[str, int]
) -> None:
    """Delete what the tombstone names: `data.seqs`, or with `data.all` the whole session."""
    event = tombstone.event
    number = namespaces.get(event.namespace)
    if number is None:
        return
    place = (event.session_id, event.namespace, tombstone.seq)
    rows = await writer.execute_fetchall(SELECT, place)
    named = None if event.data.get("all") else frozenset(event.data.get("seqs", ()))
    gone = [(int(seq), body) for seq, body in rows if named is None or seq in named]
    texts = [(seq, words.indexed(number, searchable(stored_event(seq, b)))) for seq, b in gone]
    await writer.executemany(DELETE_WORDS, texts)
    await writer.executemany("DELETE FROM event WHERE seq = ?", [(seq,) for seq, _ in gone])
    await writer.execute(SNAPSHOT, (event.session_id,))
    await writer.execute(ERASED, (str(tombstone.seq),))
    await _tidy(writer, event.session_id, whole=named is None)


async def _tidy(writer: aiosqlite.Connection, session_id: str, *, whole: bool) -> None:
    """Merge the word index into one segment, which drops deleted terms; name and reopen anew."""
    await writer.execute("INSERT INTO words(words) VALUES ('optimize')")
    if whole:
        await writer.execute("DELETE FROM session WHERE session_id = ?", (session_id,))
        return
    await writer.execute(TITLE, (session_id,))
    await writer.execute(
        "UPDATE event SET closed_by = NULL WHERE closed_by IS NOT NULL"
        " AND closed_by NOT IN (SELECT seq FROM event)"
    )
