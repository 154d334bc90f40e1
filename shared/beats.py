"""Sends this process's heartbeat from its own event loop, with how late that loop runs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

import psutil

from shared.bus import Bus
from shared.events.health import Beat, BeatState
from shared.ids import ulid
from shared.load import LOAD
from shared.notify import ALIVE, Notifier
from shared.subjects import health_beat

SUPERVISED = frozenset({"SOVEREIGN_PARENT_PID", "SOVEREIGN_SUPERVISED"})
"""Variables that tell of a supervisor: of a process, or of a container."""


class Heart:
    """Beats once an interval; `state` and `info` are what the next beat says."""

    def __init__(self, bus: Bus, who: tuple[str, str, str], interval_s: float) -> None:
        self._bus = bus
        self._service, self._instance, self._host = who
        self._interval_s = interval_s
        self._boot = ulid()
        self._seq = 0
        self._lag_s = 0.0
        self._start = time.monotonic()
        self._process = psutil.Process()
        self.notifier = Notifier()
        self.rss_cap_bytes = 0
        self.refusing_s: Callable[[], float] = float
        self.state: BeatState = "starting"
        self.info: Callable[[], dict[str, Any]] = dict

    async def run(self) -> None:
        """Beat until cancelled; the time between two beats tells the loop's lag."""
        while True:
            self.notifier.tell(ALIVE)
            await self.beat()
            before = time.monotonic()
            await asyncio.sleep(self._interval_s)
            self._lag_s = max(0.0, time.monotonic() - before - self._interval_s)

    async def beat(self) -> None:
        """Send one beat now; none while the bus is away, since old beats would only mislead."""
        if not self._bus.nc.is_connected:
            return
        await self._bus.emit(health_beat(self._service, self._instance), self._next())
        self._seq += 1

    async def goodbye(self) -> None:
        """Say that this stop was planned."""
        self.state = "goodbye"
        await self.beat()

    def _next(self) -> Beat:
        times = self._process.cpu_times()
        return Beat(
            service=self._service,
            instance=self._instance,
            host=self._host,
            boot=self._boot,
            pid=os.getpid(),
            seq=self._seq,
            state=self.state,
            interval_s=self._interval_s,
            uptime_s=time.monotonic() - self._start,
            loop_lag_s=round(self._lag_s, 4),
            rss_bytes=self._process.memory_info().rss,
            cpu_s=times.user + times.system,
            rss_cap_bytes=self.rss_cap_bytes,
            requests=LOAD.requests,
            faults=LOAD.faults,
            upstream_faults=LOAD.upstream_faults,
            busy_s=round(LOAD.busy_s, 4),
            refusing_s=round(self.refusing_s(), 3),
            version=VERSION,
            supervised=not SUPERVISED.isdisjoint(os.environ),
            info=self.info(),
        )


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("sovereign")
    except PackageNotFoundError:
        return "0.0.0"


VERSION = _version()
