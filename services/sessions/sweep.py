"""Looks after sessions that nobody ends: silent ones and those whose writer fell away."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from datetime import timedelta

from nats.errors import Error as NatsError
from nats.js.errors import APIError

from services.sessions import queries
from services.sessions.handing import Handing
from services.sessions.index import Index
from services.sessions.leases import Leases
from shared.clock import now, stamp
from shared.errors import SovereignError
from shared.settings import SessionsSettings

log = logging.getLogger(__name__)

AT_ONCE = 20
"""Handoffs that one sweep makes; the next one makes more."""

IDLE = """
SELECT session.namespace, session.session_id FROM session
JOIN event ON event.seq = session.last_seq AND event.session = session.id
WHERE session.status = 'open' AND session.last_at < ? AND event.kind != 'handoff.made'
ORDER BY session.last_seq LIMIT ?
"""


class Sweep:
    """One loop; each thing it does may be done by several instances at once, and counts once."""

    def __init__(
        self, index: Index, leases: Leases, handing: Handing, settings: SessionsSettings
    ) -> None:
        self._index = index
        self._leases = leases
        self._handing = handing
        self._settings = settings

    async def run(self) -> None:
        """Sweep until cancelled; trouble with the bus or the file passes."""
        while True:
            try:
                await self.once()
            except (SovereignError, NatsError, APIError, TimeoutError, sqlite3.Error) as error:
                log.warning("sweep: %s", error or type(error).__name__)
            await asyncio.sleep(self._settings.sweep_s)

    async def once(self) -> None:
        """Hand over what needs it now."""
        await self._leases.look()
        for lease in self._leases.expired():
            why = f"the lease of {lease.holder} ran out"
            place = await queries.place(self._index.reader, lease.session_id)
            if place is not None and place.namespace == lease.namespace:
                await self._handing.make(lease.namespace, lease.session_id, why)
            await self._leases.end(lease)
        for namespace, session_id in await self._idle():
            await self._handing.make(namespace, session_id, "nothing happened for a while")

    async def _idle(self) -> list[tuple[str, str]]:
        before = stamp(now() - timedelta(seconds=self._settings.idle_s))
        rows = await self._index.reader.execute_fetchall(IDLE, (before, AT_ONCE))
        return [(str(namespace), str(session_id)) for namespace, session_id in rows]
