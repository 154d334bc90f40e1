"""Making handoffs that are recorded: at the end, after a silence, after a crash, on demand."""

from __future__ import annotations

from services.sessions.fold import Head
from services.sessions.handoff import handoff
from services.sessions.heads import Heads
from services.sessions.journal import Journal
from shared.errors import StaleWriter
from shared.events import Handoff, SessionEvent

ACTOR = "sessions"
TRIES = 5


class Handing:
    """Records that a handoff was made: its sequence and its checksum."""

    def __init__(self, heads: Heads, journal: Journal) -> None:
        self._heads = heads
        self._journal = journal

    async def make(self, namespace: str, session_id: str, why: str) -> tuple[str, Handoff]:
        """Return the id of the `handoff.made` event and its document.

        Nothing new since the last one means that one; two instances record one.
        """
        for attempt in range(TRIES):
            head = await self._heads.of(namespace, session_id)
            done = _made(head)
            if done is not None:
                seq = int(done[1])
                return done[0], handoff(await self._heads.at(namespace, session_id, seq))
            document = handoff(head)
            event = _event(head, document, why)
            try:
                return (await self._journal.record(event, head.seq)).event_id, document
            except StaleWriter:
                if attempt == TRIES - 1:
                    raise
        raise AssertionError("unreachable")


def _made(head: Head) -> tuple[str, int] | None:
    """Return id and sequence of the handoff that is the session's last event, if it is one."""
    last = head.last
    if last is None or last.kind != "handoff.made" or not isinstance(last.data.get("seq"), int):
        return None
    return last.event_id, last.data["seq"]


def _event(head: Head, document: Handoff, why: str) -> SessionEvent:
    return SessionEvent(
        event_id=f"handoff-{head.seq}",
        namespace=head.namespace,
        session_id=head.session_id,
        kind="handoff.made",
        title=f"Handoff at {head.seq}: {why}",
        actor=ACTOR,
        data={"seq": head.seq, "checksum": document.checksum, "why": why},
    )
