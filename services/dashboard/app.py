"""Wiring: the store, what feeds it, the door, the pages, the server."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from services.dashboard import server
from services.dashboard.door.build import build, house
from services.dashboard.door.guard import Guard
from services.dashboard.handlers import make_broker
from services.dashboard.pages.mount import mount
from services.dashboard.records import Records
from services.dashboard.store import SAMPLE_S, Store
from shared.service import Service


@asynccontextmanager
async def lifespan(service: Service) -> AsyncIterator[None]:
    """Serve the door and the pages while the service lives."""
    settings = service.settings
    bound = server.claim(settings.dashboard)
    store = Store()
    parts = house(settings, service.bus, store)
    app = build(parts)
    mount(app, parts)
    broker = make_broker(settings, store)
    await broker.start()
    service.tasks.start_soon(Records(service.bus, store).run)
    service.tasks.start_soon(parts.reach.run)
    service.tasks.start_soon(_sample, service, store)
    async with _served(service, Guard(app), bound):
        yield
        parts.desk.closing.set()
    await broker.stop()


async def _sample(service: Service, store: Store) -> None:
    """Draw a point every half second."""
    while True:
        store.sample(bus_up=service.bus.nc.is_connected)
        await anyio.sleep(SAMPLE_S)


@asynccontextmanager
async def _served(service: Service, app: Guard, bound: socket.socket) -> AsyncIterator[None]:
    """Serve inside the service's own task group; return when the last answer is sent."""
    stop, started, ended = anyio.Event(), anyio.Event(), anyio.Event()

    async def run() -> None:
        try:
            await server.serve(app, bound, stop, started)
        finally:
            ended.set()

    service.tasks.start_soon(run)
    await started.wait()
    try:
        yield
    finally:
        stop.set()
        with anyio.move_on_after(server.GRACE_S + 1):
            await ended.wait()
