"""The supervisor's ear: beats of its own services, of any router, and its own lateness."""

from __future__ import annotations

import time
from collections.abc import Mapping

from nats.aio.msg import Msg

from services.ops.banner import engine_of
from services.ops.children import Child
from shared.bus import Bus, decode
from shared.errors import InvalidInput
from shared.events.health import Beat
from shared.events.models import EngineStatus

BEATS = "health.beat.*.*"


class Hearing:
    """Hands each beat to the child that sent it; a forged one does not name a living pid."""

    def __init__(self, host: str, children: Mapping[str, Child]) -> None:
        self._host = host
        self._children = children
        self.engine: EngineStatus | None = None
        self.last_at = time.monotonic()

    async def listen(self, bus: Bus) -> None:
        """Subscribe; returns at once."""
        await bus.nc.subscribe(BEATS, cb=self._take)

    async def _take(self, message: Msg) -> None:
        try:
            beat = decode(message.data, Beat)
        except InvalidInput:
            return
        self.heard(beat)

    def heard(self, beat: Beat) -> None:
        """Take one beat."""
        self.last_at = time.monotonic()
        if beat.service == "router":
            self.engine = engine_of(beat.info) or self.engine
        child = self._children.get(beat.service)
        if child is not None and beat.host == self._host and beat.instance == child.instance:
            child.heard(beat)
