"""The doors of a session's life: fork, merge, lease, close, resume."""

from __future__ import annotations

from services.sessions import queries
from services.sessions.handing import Handing
from services.sessions.handoff import handoff
from services.sessions.heads import Heads
from services.sessions.index import Index
from services.sessions.journal import Journal
from services.sessions.leases import Leases
from services.sessions.resuming import artifact_drift, claim_of, drift_since, report
from shared.errors import InvalidInput, StaleWriter
from shared.events import (
    Drift,
    Lease,
    LeaseAsk,
    SessionBranch,
    SessionBranched,
    SessionClose,
    SessionClosed,
    SessionEvent,
    SessionParent,
    SessionResume,
    SessionResumed,
)
from shared.ids import ulid

REPORT = 20_000
"""Characters of a drift report that the session keeps."""


class Life:
    """Answers what changes a session as a whole."""

    def __init__(
        self, index: Index, journal: Journal, leases: Leases, heads: Heads, handing: Handing
    ) -> None:
        self._index = index
        self._journal = journal
        self._leases = leases
        self._heads = heads
        self._handing = handing

    async def fork(self, ask: SessionBranch) -> SessionBranched:
        """Answer `session.fork`."""
        if len(ask.parents) != 1:
            raise InvalidInput("parents: a fork has exactly one parent", field="parents")
        return await self._branch(ask, "Fork of")

    async def merge(self, ask: SessionBranch) -> SessionBranched:
        """Answer `session.merge`."""
        if len({parent.session_id for parent in ask.parents}) < 2:
            raise InvalidInput("parents: a merge needs two or more", field="parents")
        return await self._branch(ask, "Merge of")

    async def lease(self, ask: LeaseAsk) -> Lease:
        """Answer `session.lease`; a session that is not there yet may be leased too."""
        place = await queries.place(self._index.reader, ask.session_id)
        if place is not None:
            place = await queries.owned(self._index.reader, ask.namespace, ask.session_id)
        return await self._leases.take(ask, place.last_seq if place else 0)

    async def close(self, ask: SessionClose) -> SessionClosed:
        """Answer `session.close`: closed and handed over; twice is once."""
        self._leases.check(ask.session_id, ask.lease)
        place = await queries.owned(self._index.reader, ask.namespace, ask.session_id)
        if place.status != "closed":
            await self._journal.record(
                SessionEvent(
                    event_id=ulid(), namespace=ask.namespace, session_id=ask.session_id,
                    kind="session.closed", title="Closed", body=ask.reason, actor=ask.by,
                ),
                new=True,
            )  # fmt: skip
        event_id, made = await self._handing.make(ask.namespace, ask.session_id, "closed")
        return SessionClosed(
            session_id=ask.session_id, seq=made.seq, handoff=event_id, checksum=made.checksum
        )

    async def resume(self, ask: SessionResume) -> SessionResumed:
        """Answer `session.resume`: the drift since the handoff, and where things stand now."""
        if ask.record:
            self._leases.check(ask.session_id, ask.lease)
        head = await self._heads.of(ask.namespace, ask.session_id)
        drift: list[Drift] = []
        claim = claim_of(ask, head)
        if claim is not None:
            seq, checksum = claim
            then = await self._heads.at(ask.namespace, ask.session_id, seq)
            drift += drift_since(then, head, checksum)
        drift += await artifact_drift(head, ask.artifacts)
        document = handoff(head)
        verified = None if claim is None else all(each.kind != "checksum" for each in drift)
        if ask.record:
            await self._record(ask, report(drift, document))
        return SessionResumed(
            session_id=ask.session_id,
            namespace=ask.namespace,
            seq=document.seq,
            verified=verified,
            drift=tuple(drift),
            handoff=document,
        )

    async def _record(self, ask: SessionResume, text: str) -> None:
        event = SessionEvent(
            event_id=ulid(), namespace=ask.namespace, session_id=ask.session_id,
            kind="session.resumed", title="Resumed", actor=ask.by,
            data={"drift": text[:REPORT]},
        )  # fmt: skip
        await self._journal.record(event, new=True)

    async def _branch(self, ask: SessionBranch, how: str) -> SessionBranched:
        parents = [await self._parent(ask.namespace, parent) for parent in ask.parents]
        names = ", ".join(f"{parent.session_id} at {parent.seq}" for parent in parents)
        event = SessionEvent(
            event_id=f"opened-{ulid()}",
            namespace=ask.namespace,
            session_id=ask.session_id,
            kind="session.opened",
            title=ask.title.strip() or f"{how} {names}"[:500],
            actor=ask.by,
            data={"parents": [parent.model_dump() for parent in parents]}
            | ({"goal": ask.goal} if ask.goal else {}),
        )
        try:
            added = await self._journal.record(event, 0, new=True)
        except StaleWriter:
            line = f"session_id: there is a session {ask.session_id} already"
            raise InvalidInput(line, field="session_id") from None
        return SessionBranched(
            session_id=ask.session_id,
            event_id=added.event_id,
            seq=added.seq,
            parents=tuple(parents),
        )

    async def _parent(self, namespace: str, parent: SessionParent) -> SessionParent:
        """Return the parent with the sequence at which it is left; raise `NotFound` for none."""
        place = await queries.owned(self._index.reader, namespace, parent.session_id)
        seq = min(parent.seq or place.last_seq, place.last_seq)
        return SessionParent(session_id=parent.session_id, seq=seq)
