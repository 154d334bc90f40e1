"""Wiring: the door and the pages, served before the bus is there; then what feeds the store."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from starlette.types import ASGIApp

from services.dashboard import server
from services.dashboard.door.build import House, build, house
from services.dashboard.door.front import front
from services.dashboard.handlers import listening
from services.dashboard.pages.mount import mount
from services.dashboard.records import Records
from services.dashboard.store import SAMPLE_S, Store
from shared.bus import Bus
from shared.service import Service
from shared.settings import Settings


@dataclass(frozen=True)
class Open:
    """The door that people come through; `stop` lets the last answers go out and closes it."""

    parts: House
    leaving: anyio.Event
    left: anyio.Event

    async def stop(self) -> None:
        """Return when the last answer is sent, or soon after."""
        self.leaving.set()
        with anyio.move_on_after(server.GRACE_S + 1):
            await self.left.wait()


@asynccontextmanager
async def early(settings: Settings, bus: Bus) -> AsyncIterator[Open]:
    """Serve the door and the pages, with or without a bus: they say what is missing."""
    parts = house(settings, bus, Store())
    guarded = bool(parts.gate.access.people)
    bound = server.claim(settings.dashboard, guarded=guarded)
    app = build(parts)
    mount(app, parts)
    opened = Open(parts, anyio.Event(), anyio.Event())
    async with anyio.create_task_group() as tasks:
        started = anyio.Event()
        tasks.start_soon(_serve, opened, front(app, parts), bound, started)
        tasks.start_soon(_sample, parts)
        await started.wait()
        try:
            yield opened
        finally:
            with anyio.CancelScope(shield=True):
                await opened.stop()
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def lifespan(service: Service) -> AsyncIterator[None]:
    """Feed the store while the service lives."""
    opened: Open = service.before
    parts = opened.parts
    async with listening(service.bus, parts.store):
        service.tasks.start_soon(Records(service.bus, parts.store).run)
        service.tasks.start_soon(parts.reach.run)
        yield
        parts.desk.closing.set()
        await opened.stop()


async def _sample(parts: House) -> None:
    """Draw a point every half second."""
    while True:
        parts.store.sample(bus_up=parts.bus.nc.is_connected)
        await anyio.sleep(SAMPLE_S)


async def _serve(opened: Open, app: ASGIApp, bound: socket.socket, started: anyio.Event) -> None:
    settings = opened.parts.settings.dashboard
    try:
        await server.serve(app, bound, opened.leaving, started, settings)
    finally:
        opened.left.set()
