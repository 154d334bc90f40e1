"""Which other routers are there, by their beats: what counts together, and who is gone."""

from __future__ import annotations

import time
from collections.abc import Callable

from nats.aio.msg import Msg

from shared.bus import decode
from shared.errors import SovereignError
from shared.events import Beat

SUBJECT = "health.beat.router.*"
GONE_S = 10.0
"""A router is gone after so long without a beat, or four times its own interval if that is more."""
MISSED = 4
INFO = "run"
"""Where a router's beat names its run."""


class Peers:
    """Runs of other routers by the monotonic instant until which they are believed to live."""

    def __init__(self, run: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._run = run
        self._clock = clock
        self._until: dict[str, float] = {}
        self._known_at = clock() + GONE_S

    async def hear(self, message: Msg) -> None:
        """Take a beat in; one that says goodbye, or nothing that is a beat, is no sign of life."""
        try:
            beat = decode(message.data, Beat)
        except SovereignError:
            return
        self.seen(str(beat.info.get(INFO, "")), beat.interval_s, leaving=beat.state == "goodbye")

    def seen(self, run: str, interval_s: float = 1.0, *, leaving: bool = False) -> None:
        """Believe that this run lives for a while, or is gone."""
        now = self._clock()
        if run in ("", self._run):
            return
        self._until[run] = now if leaving else now + max(GONE_S, MISSED * interval_s)
        self._until = {name: until for name, until in self._until.items() if until > now - GONE_S}

    def live(self, run: str, heard: float) -> bool:
        """Tell whether a run is there, of which an entry was heard at that monotonic instant."""
        return self._clock() < self._until.get(run, heard + GONE_S)

    @property
    def count(self) -> int:
        """Return how many routers are there, with this one."""
        now = self._clock()
        return 1 + sum(until > now for until in self._until.values())

    @property
    def possible(self) -> int:
        """Return how many there may be: who has just begun to listen believes in another one."""
        return self.count if self._clock() >= self._known_at else max(2, self.count)
