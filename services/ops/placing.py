"""What a host does beyond its own services: guests of lost hosts, the settings file, streams."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from anyio.abc import TaskGroup

from services.ops.children import Child
from services.ops.good_settings import GoodSettings
from shared import bootstrap
from shared.bus import Bus
from shared.errors import Refused, Unavailable
from shared.settings import Settings

log = logging.getLogger(__name__)

TICK_S = 1.0
GRACE_S = 1.0


class Placing:
    """Starts and ends guests; keeps and restores the settings file."""

    def __init__(
        self, settings: Settings, children: dict[str, Child], make: Callable[[str], Child],
        good: GoodSettings,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._children = children
        self._make = make
        self._good = good
        self._bus: Bus | None = None
        self._tasks: TaskGroup | None = None
        self._rolled_back_at = 0.0

    def open(self, bus: Bus, tasks: TaskGroup) -> None:
        """Begin; guests run in `tasks`."""
        self._bus, self._tasks = bus, tasks
        tasks.start_soon(self._watch_settings)

    async def declare(self) -> str:
        """Create the streams that are gone; raise `Unavailable` without a bus."""
        if self._bus is None:
            raise Unavailable("the bus is not there yet")
        await bootstrap.ensure(self._bus, self._settings.nats.replicas)
        return "streams, consumers and buckets are as declared"

    def place(self, service: str, for_host: str) -> str:
        """Start a service of `for_host` here; raise `Refused` unless room is offered for it."""
        if service not in self._settings.ops.offers:
            raise Refused(f"{self._settings.host} offers no room for {service}", field="service")
        if service in self._children or self._tasks is None:
            raise Refused(f"{service} already runs on {self._settings.host}", field="service")
        child = self._children[service] = self._make(service)
        child.placed_for = for_host or "another host"
        self._tasks.start_soon(child.run)
        return f"{service} starts here for {child.placed_for}"

    def give_back(self, service: str) -> str:
        """End a guest; raise `Refused` for what is no guest."""
        child = self._children.get(service)
        if child is None or child.placed_for is None or self._tasks is None:
            raise Refused(f"{service} is no guest here", field="service")
        child.close(self._settings.ops.drain_s)
        self._tasks.start_soon(self._forget, child)
        return f"{service} drains and leaves"

    def roll_back(self, cause: str) -> str:
        """Put the last good settings file back; raise `Refused` when there is none."""
        bad = self._good.roll_back(cause)
        self._rolled_back_at = time.monotonic()
        return f"the last good settings file is back; the bad one is {bad.name}"

    def revive(self, child: Child) -> None:
        """Roll back for a service that fell under a suspect file, and start it anew."""
        cause = f"{child.name} fell under a changed settings file: {child.reason}"
        try:
            self.roll_back(cause)
        except Refused:  # an earlier one already rolled back; this one started before that
            if child.started_at > self._rolled_back_at:
                return
        child.restart("supervisor: the last good settings are back", GRACE_S)

    async def _forget(self, child: Child) -> None:
        await child.gone.wait()
        if self._children.get(child.name) is child:
            del self._children[child.name]

    async def _watch_settings(self) -> None:
        """Keep a file as the last good one when all services have been well under it."""
        while True:
            await asyncio.sleep(TICK_S)
            own = [child for child in self._children.values() if child.placed_for is None]
            if own and all(self._is_settled(child) for child in own):
                self._good.keep([child.name for child in own])

    def _is_settled(self, child: Child) -> bool:
        lived_s = time.monotonic() - child.started_at
        return child.state == "ready" and lived_s >= self._settings.ops.window_s
