"""The record: what was seen, decided and done, stored in stream OPS once the bus is there."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

import anyio
from nats.errors import Error as NatsError

from shared.bus import Bus
from shared.errors import SovereignError
from shared.events.ops import OpsEvent, OpsKind
from shared.ids import ulid
from shared.subjects import ops_event

log = logging.getLogger(__name__)

ROOM = 1000
"""Entries kept while the bus is away; beyond it the oldest are given up, and counted."""


class Record:
    """Takes entries at any time, publishes them in order with an acknowledgement each."""

    def __init__(self, host: str, by: str) -> None:
        self._host = host
        self._by = by
        self._waiting: deque[OpsEvent] = deque()
        self._more = anyio.Event()
        self.lost = 0

    def tell(self, kind: OpsKind, service: str = "", **fields: Any) -> OpsEvent:
        """Add one entry; `fields` are those of `OpsEvent`. Never waits."""
        given = {"host": self._host, "by": self._by} | fields
        event = OpsEvent(event_id=ulid(), kind=kind, service=service, **given)
        log.info("%s %s %s", kind, service, event.cause or event.outcome or "")
        if len(self._waiting) >= ROOM:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(event)
        self._more.set()
        return event

    @property
    def waiting(self) -> tuple[OpsEvent, ...]:
        """What is not stored yet, oldest first."""
        return tuple(self._waiting)

    async def run(self, bus: Bus) -> None:
        """Publish until cancelled."""
        while True:
            await self._more.wait()
            self._more = anyio.Event()
            await self.flush(bus)

    async def flush(self, bus: Bus) -> None:
        """Publish what waits; while the bus is away this waits too."""
        while self._waiting:
            event = self._waiting[0]
            if await _stored(bus, event) and self._waiting and self._waiting[0] is event:
                self._waiting.popleft()


async def _stored(bus: Bus, event: OpsEvent) -> bool:
    """Publish one entry; False when it has to be tried again."""
    try:
        await bus.publish(ops_event(event.kind), event, event.event_id)
    except (SovereignError, NatsError, OSError) as error:
        if isinstance(error, SovereignError) and not error.retryable:
            log.error("not recorded: %s", error)
            return True
        await anyio.sleep(0.5)
        return False
    return True
