"""A session's head: from its last snapshot and the events since; a child's from its lineage.

A snapshot is a fold that was kept, at most one a session, made anew every 200 events; it can be
thrown away at any time.
"""

from __future__ import annotations

from pydantic import ValidationError

from services.sessions import lineage, queries
from services.sessions.fold import Head, advance, fold
from services.sessions.index import Index
from services.sessions.queries import Place

EVERY = 200
"""Events after which the fold is kept again."""

SNAPSHOT = "SELECT head FROM snapshot WHERE session = ?"


class Heads:
    """Reads heads from one index."""

    def __init__(self, index: Index) -> None:
        self._index = index

    async def of(self, namespace: str, session_id: str) -> Head:
        """Return the present head; raise `NotFound` for another namespace's session."""
        reader = self._index.reader
        place = await queries.owned(reader, namespace, session_id)
        before = await lineage.inherited(reader, place)
        if before:
            own = await queries.events_of(reader, place)
            return fold([*before, *own], session_id, namespace)
        return await self._from_snapshot(place, session_id)

    async def at(self, namespace: str, session_id: str, seq: int) -> Head:
        """Return the head as it was after event `seq`."""
        reader = self._index.reader
        place = await queries.owned(reader, namespace, session_id)
        before = await lineage.inherited(reader, place)
        own = await queries.events_of(reader, place, up_to=seq)
        return fold([*before, *own], session_id, namespace)

    async def _from_snapshot(self, place: Place, session_id: str) -> Head:
        erased = await self._index.erased()
        head = await self._snapshot(place) or fold((), session_id, place.namespace)
        new = await queries.events_of(self._index.reader, place, head.seq)
        for event in new:
            advance(head, event)
        if len(new) >= EVERY:
            await self._index.keep_head(place.id, head.model_dump_json().encode(), erased)
        return head

    async def _snapshot(self, place: Place) -> Head | None:
        """Return the head that was kept; one that cannot be read is none."""
        rows = await self._index.reader.execute_fetchall(SNAPSHOT, (place.id,))
        try:
            return next((Head.model_validate_json(row[0]) for row in rows), None)
        except ValidationError:
            return None
