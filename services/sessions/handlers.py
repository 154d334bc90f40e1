"""The doors of the service: what comes in over the bus, handed on."""

from __future__ import annotations

from collections.abc import Iterable

from nats.aio.msg import Msg

from services.sessions import outcomes, queries
from services.sessions import summary as summaries
from services.sessions.context import Contexts
from services.sessions.fold import Head
from services.sessions.handing import Handing
from services.sessions.handoff import handoff
from services.sessions.heads import Heads
from services.sessions.importing.importer import Importer, session_name
from services.sessions.index import Index
from services.sessions.journal import Journal
from services.sessions.leases import Leases
from services.sessions.recall import Nearness, by_words_alone, search
from services.sessions.words import folded
from shared.bus import decode
from shared.errors import InvalidInput
from shared.events import (
    Handoff,
    SearchAsk,
    SearchReply,
    SessionAppend,
    SessionAppended,
    SessionAsk,
    SessionEvent,
    SessionImport,
    SessionImported,
    SessionList,
    SessionListAsk,
    SessionLoaded,
    StoredEvent,
    TaskResult,
)
from shared.streams import MAX_PAYLOAD

PAGE_BYTES = MAX_PAYLOAD - 600_000
"""Bytes of events in one answer of `session.load`; more comes with the next page."""


class Handlers:
    """The request handlers and the work handler of one process."""

    def __init__(
        self,
        index: Index,
        journal: Journal,
        namespace: str,
        leases: Leases,
        near: Nearness = by_words_alone,
    ) -> None:
        self._index = index
        self._journal = journal
        self._namespace = namespace
        self._leases = leases
        self._near = near
        self.heads = Heads(index)
        self.handing = Handing(self.heads, journal)
        self._importer = Importer(index, journal)
        self.context = Contexts(index, self.heads, near).context

    async def append(self, ask: SessionAppend) -> SessionAppended:
        """Answer `session.append`; a session that is closed by it is handed over."""
        if ask.kind == "session.forgotten":
            raise InvalidInput("kind: forgetting goes by session.forget", field="kind")
        self._leases.check(ask.session_id, ask.lease)
        added = await self._journal.append(ask)
        if ask.kind == "session.closed" and not added.duplicate:
            await self.handing.make(ask.namespace, ask.session_id, "closed")
        return added

    async def take(self, ask: SessionImport) -> SessionImported:
        """Answer `session.import`."""
        self._leases.check(ask.session_id or session_name(ask.name), ask.lease)
        return await self._importer.take(ask)

    async def load(self, ask: SessionAsk) -> SessionLoaded:
        """Answer `session.load`: as many events as fit into one message."""
        place = await queries.owned(self._index.reader, ask.namespace, ask.session_id)
        found = await queries.events_of(self._index.reader, place, ask.after_seq, ask.limit + 1)
        page = fitting(found[: ask.limit])
        return SessionLoaded(
            session_id=ask.session_id,
            namespace=ask.namespace,
            events=tuple(page),
            more=len(page) < len(found),
        )

    async def list(self, ask: SessionListAsk) -> SessionList:
        """Answer `session.list`."""
        found = await queries.sessions_of(self._index.reader, ask.namespace, ask.limit)
        return SessionList(sessions=tuple(found))

    async def search(self, ask: SearchAsk) -> SearchReply:
        """Answer `session.search`."""
        near = await self._near(ask.namespace, ask.query)
        return await search(self._index, ask, near)

    async def handoff(self, ask: SessionAsk) -> Handoff:
        """Answer `session.handoff`; with `keep` the session records that it was made."""
        if ask.keep:
            await self.handing.make(ask.namespace, ask.session_id, "asked for")
        if ask.at_seq is not None:
            return handoff(await self.heads.at(ask.namespace, ask.session_id, ask.at_seq))
        head = await self.heads.of(ask.namespace, ask.session_id)
        made = handoff(head)
        if not ask.summary:
            return made
        summary = await summaries.summarise(self._journal.bus, head, made)
        text = made.markdown + summaries.section(summary)
        return made.model_copy(update={"summary": summary, "markdown": text})

    async def finished(self, message: Msg) -> None:
        """Record the outcome of a task, and what it decided and learned that is not known yet.

        A redelivery records nothing new.
        """
        result = decode(message.data, TaskResult)
        session_id = await self._session_of(result)
        if await queries.place(self._index.reader, session_id) is None:
            opening = outcomes.opening(result, self._namespace, session_id)
            await self._journal.record(opening)
        await self._journal.record(outcomes.outcome(result, self._namespace, session_id))
        found = outcomes.findings(result, self._namespace, session_id)
        if found:
            head = await self.heads.of(self._namespace, session_id)
            for event in _news(found, head):
                await self._journal.record(event)

    async def _session_of(self, result: TaskResult) -> str:
        """Return the task's session, or the day's when that one is another namespace's."""
        wanted = outcomes.session_id(result)
        place = await queries.place(self._index.reader, wanted)
        if place is None or place.namespace == self._namespace:
            return wanted
        return outcomes.daily(result, self._namespace)


def _news(found: Iterable[SessionEvent], head: Head) -> list[SessionEvent]:
    """Return the findings that no live decision or learning of the session says already."""
    known = {
        (event.kind, folded(event.title))
        for event in (*head.decisions.values(), *head.learnings.values())
    }
    return [event for event in found if (event.kind, folded(event.title)) not in known]


def fitting(events: list[StoredEvent]) -> list[StoredEvent]:
    """Return the first events that fit into one answer, one at least."""
    size, kept = 0, 0
    for event in events:
        size += len(event.model_dump_json())
        if kept and size > PAGE_BYTES:
            break
        kept += 1
    return events[:kept]
