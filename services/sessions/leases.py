"""Leases: one writer a session for a while, in KV bucket `session_leases`, by compare-and-set.

The bucket is looked at in every sweep, so another instance hears of a lease within `sweep_s`;
what really keeps two writers apart is `expected_seq`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.bus import Bus, decode
from shared.clock import now
from shared.errors import Conflict, InvalidInput
from shared.events import Lease, LeaseAsk
from shared.ids import ulid
from shared.reading import Stored, last_of, read_subject
from shared.streams import LEASES
from shared.subjects import token

STREAM = f"KV_{LEASES.name}"


class Leases:
    """What this instance knows of all leases."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._known: dict[str, Lease] = {}

    async def look(self) -> None:
        """Read all leases anew."""
        found = await read_subject(self._bus, STREAM, _subject("*"))
        leases = (_lease(stored) for stored in found)
        self._known = {each.session_id: each for each in leases if each is not None}

    def check(self, session_id: str, lease: str | None) -> None:
        """Raise `Conflict` when somebody else holds the session now."""
        held = self._known.get(session_id)
        if held is not None and _live(held, now()) and held.lease != lease:
            raise Conflict(
                f"session {session_id} is held by {held.holder} until {held.until:%H:%M:%S} UTC",
                field="lease",
                retry_after_s=max(0.1, (held.until - now()).total_seconds()),
            )

    def expired(self) -> list[Lease]:
        """Return leases whose holder neither released nor renewed them in time."""
        at = now()
        return [each for each in self._known.values() if each.state == "held" and each.until < at]

    async def take(self, ask: LeaseAsk, seq: int) -> Lease:
        """Take, renew or release; raise `Conflict` while another one holds the session."""
        revision, known = await self._stored(ask.session_id)
        if ask.action != "take" and (known is None or known.lease != ask.lease):
            raise InvalidInput(f"lease: {ask.lease} is not the lease of this session",
                               field="lease")  # fmt: skip
        if known is not None:
            self._known[ask.session_id] = known
            self.check(ask.session_id, ask.lease)
        return await self._put(_next(ask, known, seq), revision)

    async def end(self, lease: Lease) -> None:
        """Mark a lease as run out, unless somebody took it meanwhile."""
        revision, known = await self._stored(lease.session_id)
        if known is not None and known.lease == lease.lease and known.until == lease.until:
            await self._put(known.model_copy(update={"state": "expired"}), revision)

    async def forget(self, session_id: str) -> None:
        """Leave no name of a holder behind."""
        revision, known = await self._stored(session_id)
        if known is not None:
            gone = known.model_copy(update={"state": "released", "holder": "-", "until": now()})
            await self._put(gone, revision)

    async def _stored(self, session_id: str) -> tuple[int, Lease | None]:
        stored = await last_of(self._bus, STREAM, _subject(token(session_id, "session_id")))
        return (stored.seq, _lease(stored)) if stored else (0, None)

    async def _put(self, lease: Lease, revision: int) -> Lease:
        subject = _subject(lease.session_id)
        await self._bus.publish(subject, lease, ulid(), expected_seq=revision)
        self._known[lease.session_id] = lease
        return lease


def _next(ask: LeaseAsk, known: Lease | None, seq: int) -> Lease:
    at = now()
    until = at + timedelta(seconds=ask.seconds)
    if ask.action == "take" or known is None:
        return Lease(namespace=ask.namespace, session_id=ask.session_id, lease=ulid(),
                     holder=ask.holder, since=at, until=until, seq=seq)  # fmt: skip
    if ask.action == "renew":
        return known.model_copy(update={"until": until, "state": "held", "seq": seq})
    return known.model_copy(update={"until": at, "state": "released"})


def _live(lease: Lease, at: datetime) -> bool:
    return lease.state == "held" and lease.until > at


def _lease(stored: Stored) -> Lease | None:
    """Return the lease in a stored value; a deleted key has none."""
    return decode(stored.data, Lease) if stored.data else None


def _subject(session_id: str) -> str:
    return f"$KV.{LEASES.name}.{session_id}"
