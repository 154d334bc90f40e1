"""What concerns the index as a whole: building it anew, and forgetting with a proof."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from nats.js.errors import APIError, NotFoundError

from services.sessions import words
from services.sessions.facts import searchable
from services.sessions.follower import STREAM, Follower
from services.sessions.index import Index
from services.sessions.journal import Journal
from services.sessions.stored import stored_event
from shared.bus import Bus
from shared.errors import InvalidInput, NotFound, SovereignError
from shared.events import (
    Empty,
    SessionEvent,
    SessionForget,
    SessionForgotten,
    SessionReindexed,
    StoredEvent,
)
from shared.ids import ulid
from shared.reading import read_subject
from shared.subjects import session_event

TARGETS = """
SELECT event.seq, event.body FROM event JOIN session ON session.id = event.session
WHERE session.namespace = ? AND event.kind != 'session.forgotten'
    AND (? IS NULL OR session.session_id = ?) AND (? IS NULL OR event.actor = ?)
ORDER BY event.seq
"""
LEFT = "SELECT count(*) FROM event JOIN json_each(?) ON event.seq = json_each.value"
TRACES = """
SELECT count(*) FROM words WHERE words MATCH ? AND rowid IN (SELECT value FROM json_each(?))
"""
PROOF_WORDS = 200
"""Words of what was forgotten that are searched for afterwards."""

ERASED_AT_ONCE = 32


@dataclass(frozen=True)
class Target:
    """The events of one session that are to be forgotten; `whole` when they are all of it."""

    session_id: str
    events: list[StoredEvent]
    whole: bool


Forgotten = Callable[[Sequence[str]], Awaitable[None]]
"""Told which whole sessions are gone, for whoever else keeps something of them."""


async def nobody_else(sessions: Sequence[str]) -> None:
    """Keep nothing of a session anywhere else."""


class Upkeep:
    """Reindexes and forgets."""

    def __init__(
        self,
        bus: Bus,
        index: Index,
        follower: Follower,
        journal: Journal,
        forgotten: Forgotten = nobody_else,
    ) -> None:
        self._bus = bus
        self._forgotten = forgotten
        self._index = index
        self._follower = follower
        self._journal = journal
        self._alone = asyncio.Lock()

    async def reindex(self, ask: Empty) -> SessionReindexed:
        """Answer `session.reindex`; never in the midst of a forgetting."""
        async with self._alone:
            return await self._reindex()

    async def _reindex(self) -> SessionReindexed:
        begin = time.monotonic()
        await self._follower.rebuild()
        sql = "SELECT count(*) FROM event"
        ((events,),) = await self._index.reader.execute_fetchall(sql)
        seconds = round(time.monotonic() - begin, 3)
        return SessionReindexed(last_seq=self._index.last_seq, events=events, seconds=seconds)

    async def forget(self, ask: SessionForget) -> SessionForgotten:
        """Answer `session.forget`: erase from stream and index, leave a tombstone, search.

        The tombstone makes every other instance erase too; it holds sequences, never content.
        """
        if ask.session_id is None and ask.actor is None and not ask.everything:
            raise InvalidInput(
                "name a session_id or an actor, or set everything", field="everything"
            )
        if ask.event_ids and ask.session_id is None:
            raise InvalidInput("session_id: name the session of these events", field="session_id")
        async with self._alone:
            return await self._forget(ask)

    async def _forget(self, ask: SessionForget) -> SessionForgotten:
        targets = await self._targets(ask)
        if not targets:
            raise NotFound(f"nothing to forget in namespace {ask.namespace}", field="namespace")
        await self._erase([event.seq for target in targets for event in target.events])
        tombstones = [await self._bury(ask, target) for target in targets]
        await self._forgotten([target.session_id for target in targets if target.whole])
        searched, found = await self._prove(ask.namespace, targets)
        if found:
            raise SovereignError(f"{found} traces were found after forgetting; reindex")
        return SessionForgotten(
            namespace=ask.namespace,
            sessions=tuple(target.session_id for target in targets),
            events=sum(len(target.events) for target in targets),
            tombstones=tuple(tombstones),
            searched_words=searched,
            found_after=found,
        )

    async def _targets(self, ask: SessionForget) -> list[Target]:
        given = (ask.namespace, ask.session_id, ask.session_id, ask.actor, ask.actor)
        rows = await self._index.reader.execute_fetchall(TARGETS, given)
        found: dict[str, list[StoredEvent]] = {}
        for seq, body in rows:
            event = stored_event(int(seq), body)
            if not ask.event_ids or event.event_id in ask.event_ids:
                found.setdefault(event.session_id, []).append(event)
        whole = ask.actor is None and not ask.event_ids
        return [Target(name, events, whole) for name, events in found.items()]

    async def _erase(self, seqs: list[int]) -> None:
        """Overwrite messages in the stream; one that is gone already is fine."""
        room = asyncio.Semaphore(ERASED_AT_ONCE)

        async def one(seq: int) -> None:
            async with room:
                try:
                    await self._bus.js.delete_msg(STREAM, seq)
                except (NotFoundError, APIError) as error:
                    if getattr(error, "err_code", None) not in (10037, 10043, 10057):
                        raise

        await asyncio.gather(*(one(seq) for seq in seqs))

    async def _bury(self, ask: SessionForget, target: Target) -> str:
        seqs = [event.seq for event in target.events]
        tombstone = SessionEvent(
            event_id=ulid(),
            namespace=ask.namespace,
            session_id=target.session_id,
            kind="session.forgotten",
            title="forgotten",
            body=ask.reason,
            actor=ask.by,
            data={"all": True} if target.whole else {"seqs": seqs},
        )
        buried = await self._journal.record(tombstone)
        if target.whole:
            await self._erase_late(target.session_id, buried.seq)
        return buried.event_id

    async def _erase_late(self, session_id: str, seq: int) -> None:
        """Erase what came in while the session was being erased: the tombstone counts it too."""
        left = await read_subject(self._bus, STREAM, session_event(session_id))
        await self._erase([message.seq for message in left if message.seq < seq])

    async def _prove(self, namespace: str, targets: list[Target]) -> tuple[int, int]:
        """Return how many words were searched for, and how many traces anywhere were found."""
        events = [event for target in targets for event in target.events]
        seqs = json.dumps([event.seq for event in events])
        ((found,),) = await self._index.reader.execute_fetchall(LEFT, (seqs,))
        number = self._index.number_of(namespace) or 0
        distinct = dict.fromkeys(w for event in events for w in words.words(searchable(event)))
        searched = list(distinct)[:PROOF_WORDS]
        for word in searched:
            given = (words.term(number, word), seqs)
            ((traces,),) = await self._index.reader.execute_fetchall(TRACES, given)
            found += traces
        return len(searched), int(found) + await self._left_in_stream(events)

    async def _left_in_stream(self, events: list[StoredEvent]) -> int:
        """Return how many of the events the stream still gives out."""
        left = 0
        for event in events[:: max(1, len(events) // PROOF_WORDS)]:
            try:
                await self._bus.js.get_msg(STREAM, event.seq)
            except NotFoundError:
                continue
            left += 1
        return left
