"""Tells the bus what happened, after the fact and one after the other."""

from __future__ import annotations

import asyncio
import logging

from nats.errors import Error as NatsError
from pydantic import BaseModel

from services.router.turns import few
from shared.bus import Bus
from shared.events import CacheEvent, CostEvent
from shared.subjects import COST_EVENT, cache_event

log = logging.getLogger(__name__)

MAX_WAITING = 10_000
GATHER_S = 0.02
"""Events wait so long, so that replies go out before them."""


class Telemetry:
    """A queue of events; when the bus is slow the newest are left out, since SQLite has all."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: asyncio.Queue[tuple[str, BaseModel]] = asyncio.Queue(MAX_WAITING)

    def cache(self, event: CacheEvent) -> None:
        """Tell what the cache did."""
        self._put(cache_event(event.kind), event)

    def cost(self, event: CostEvent) -> None:
        """Tell one call."""
        self._put(COST_EVENT, event)

    async def run(self) -> None:
        """Send for ever, a few in one packet: a packet costs more than an event."""
        while True:
            held = [await self._waiting.get()]
            await asyncio.sleep(GATHER_S)
            while held:
                for subject, body in held:
                    await self._send(subject, body)
                await asyncio.sleep(0)
                held = [self._waiting.get_nowait() for _ in range(few(self._waiting.qsize()))]

    async def _send(self, subject: str, body: BaseModel) -> None:
        """Send one; while the bus is away, events are lost and answers are not."""
        try:
            await self._bus.emit(subject, body)
        except NatsError as error:
            log.debug("%s was not told: %s", subject, error)

    def _put(self, subject: str, body: BaseModel) -> None:
        if not self._waiting.full():
            self._waiting.put_nowait((subject, body))
