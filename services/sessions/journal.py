"""Writing facts: checked, fenced, once. The stream is the record; the index only answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from services.sessions import facts, lineage, queries
from services.sessions.follower import STREAM, Follower
from services.sessions.index import Index
from shared.bus import Bus
from shared.errors import Conflict, InvalidInput, StaleWriter
from shared.events import SessionAppend, SessionAppended, SessionEvent, StoredEvent
from shared.ids import ulid
from shared.reading import last_of
from shared.subjects import session_event

AT_ONCE = 64
"""Appends of one import on their way at the same time, in order."""

WHOLE_S = 30.0
"""Longest wait for the index to hold a whole import."""

TRIES = 5
"""Attempts of an append that names no sequence, when others open the same session."""


class Journal:
    """Appends to sessions. A session belongs to the namespace of its first event."""

    def __init__(self, bus: Bus, index: Index, follower: Follower, host: str) -> None:
        self.bus = bus
        self._index = index
        self._follower = follower
        self._host = host

    async def append(self, ask: SessionAppend) -> SessionAppended:
        """Append what was asked for; see `record`."""
        given = ask.model_dump(exclude={"expected_seq", "event_id"}, exclude_none=True)
        event = SessionEvent(event_id=ask.event_id or ulid(), host=self._host, **given)
        return await self.record(event, ask.expected_seq, new=ask.event_id is None)

    async def record(
        self, event: SessionEvent, expected_seq: int | None = None, *, new: bool = False
    ) -> SessionAppended:
        """Store one event and answer when this process's index has it.

        The same `event_id` again is a duplicate, at any time; with another content, `Conflict`.
        `expected_seq` is the last sequence of the session that the writer knows (0: none):
        when it is not the last any more, `StaleWriter`. `new` says that the id was just made.
        """
        facts.check(event)
        for attempt in range(TRIES):
            known = None if new else await self._known(event)
            if known is not None:
                return _again(event, known)
            fence = await self._fence(event, expected_seq)
            try:
                return await self._publish(event, fence)
            except Conflict:
                await self._catch_up(event.session_id)
                if expected_seq is not None:
                    raise await self._stale(event, expected_seq) from None
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    async def _stale(self, event: SessionEvent, expected_seq: int) -> StaleWriter:
        place = await queries.place(self._index.reader, event.session_id)
        last = place.last_seq if place else 0
        line = f"session {event.session_id} is at {last}, not {expected_seq}: read on from there"
        return StaleWriter(f"expected_seq: {line}", field="expected_seq")

    async def _known(self, event: SessionEvent) -> StoredEvent | None:
        return await queries.event_of(self._index.reader, event.session_id, event.event_id)

    async def record_all(self, events: Sequence[SessionEvent]) -> list[SessionAppended]:
        """Store events of one session in their order; the first one opens it if need be.

        Each is checked before any is stored. Up to `AT_ONCE` are on their way together.
        """
        for event in events:
            facts.check(event)
        if not events:
            return []
        answers = [await self.record(events[0])]
        known = await queries.ids_of(self._index.reader, events[0].session_id)
        for start in range(1, len(events), AT_ONCE):
            some = events[start : start + AT_ONCE]
            answers += await asyncio.gather(*(self._once(event, known) for event in some))
        await self._follower.wait_for(max(answer.seq for answer in answers), WHOLE_S)
        return answers

    async def _once(self, event: SessionEvent, known: Mapping[str, int]) -> SessionAppended:
        if event.event_id in known:
            return SessionAppended(
                event_id=event.event_id,
                session_id=event.session_id,
                seq=known[event.event_id],
                duplicate=True,
            )
        return await self._publish(event, None, wait=False)

    async def _fence(self, event: SessionEvent, expected_seq: int | None) -> int | None:
        """Return the sequence to fence with: always one for a session that is not known yet."""
        place = await queries.place(self._index.reader, event.session_id)
        if place is None:
            if facts.closes(event) is not None:
                raise _closes_nothing(event)
            return expected_seq or 0
        if place.namespace != event.namespace:
            raise Conflict(f"session_id {event.session_id} is taken", field="session_id")
        await self._check_closes(event)
        return expected_seq

    async def _check_closes(self, event: SessionEvent) -> None:
        named = facts.closes(event)
        if named is None:
            return
        closed = await lineage.find(self._index.reader, event.session_id, named)
        pending = event.kind in ("pending.done", "pending.drop")
        if closed is None or (pending and closed.kind != "pending.add"):
            raise _closes_nothing(event)

    async def _publish(
        self, event: SessionEvent, fence: int | None, *, wait: bool = True
    ) -> SessionAppended:
        ack = await self.bus.publish(
            session_event(event.session_id),
            event,
            f"{event.session_id}.{event.event_id}",
            expected_seq=fence,
        )
        if wait:
            await self._follower.wait_for(ack.seq)
        return SessionAppended(
            event_id=event.event_id,
            session_id=event.session_id,
            seq=ack.seq,
            duplicate=bool(ack.duplicate),
        )

    async def _catch_up(self, session_id: str) -> None:
        """Wait until the index holds the last event of the session that the stream holds."""
        last = await last_of(self.bus, STREAM, session_event(session_id))
        if last is not None:
            await self._follower.wait_for(last.seq)


def _again(event: SessionEvent, known: StoredEvent) -> SessionAppended:
    if not facts.same(event, known):
        raise Conflict(f"event_id {event.event_id} stands for another event", field="event_id")
    return SessionAppended(
        event_id=event.event_id, session_id=event.session_id, seq=known.seq, duplicate=True
    )


def _closes_nothing(event: SessionEvent) -> InvalidInput:
    field = "supersedes" if event.kind not in ("pending.done", "pending.drop") else "data.pending"
    what = "event" if field == "supersedes" else "open item"
    return InvalidInput(
        f"{field}: session {event.session_id} has no {what} {facts.closes(event)}", field=field
    )
