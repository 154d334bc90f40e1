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
MINE = "(SELECT id FROM session WHERE session_id = :session)"
RENUMBER = f"""
UPDATE event SET position = spot FROM (
    SELECT seq AS number, row_number() OVER (ORDER BY seq) AS spot FROM event WHERE session = {MINE}
) WHERE event.seq = number
"""  # noqa: S608
REOPEN = f"""
UPDATE event SET closed_by = (
    SELECT min(later.seq) FROM event AS later WHERE later.session = event.session
        AND later.closes = event.event_id AND later.seq > event.seq
) WHERE session = {MINE} AND closed_by NOT IN (SELECT seq FROM event)
"""  # noqa: S608
RETELL = """
UPDATE session SET
    title = coalesce((
        SELECT json_extract(CAST(body AS TEXT), '$.title') FROM event
        WHERE session = session.id AND kind = 'session.opened' ORDER BY seq LIMIT 1
    ), ''),
    status = coalesce((
        SELECT iif(kind = 'session.closed', 'closed', 'open') FROM event WHERE session = session.id
        AND kind IN ('session.closed', 'session.opened', 'session.resumed')
        ORDER BY seq DESC LIMIT 1
    ), 'open'),
    positions = (SELECT count(*) FROM event WHERE session = session.id),
    first_at = (SELECT at FROM event WHERE session = session.id ORDER BY seq LIMIT 1),
    last_at = (SELECT max(at) FROM event WHERE session = session.id)
WHERE session_id = :session
"""
"""What a session says of itself, as if what is gone had never been said."""
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
    """Merge the word index, which drops deleted terms; leave what a new index would hold."""
    await writer.execute("INSERT INTO words(words) VALUES ('optimize')")
    left = "SELECT 1 FROM event JOIN session ON session.id = session WHERE session_id = ? LIMIT 1"
    if whole or not list(await writer.execute_fetchall(left, (session_id,))):
        await writer.execute("DELETE FROM session WHERE session_id = ?", (session_id,))
        return
    for sql in (RENUMBER, REOPEN, RETELL):
        await writer.execute(sql, {"session": session_id})
