"""The door over a real bus, the pages over the same house, and other services that answer."""

import socket
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest

from services.dashboard import server
from services.dashboard.door.build import build, house
from services.dashboard.door.front import front
from services.dashboard.store import Store
from shared import rpc
from shared.bus import Bus
from shared.events import Beat
from shared.settings import Settings
from tests.conftest import free_port


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def beat(service: str = "router", **more: object) -> Beat:
    values = {"instance": f"{service}-1", "host": "here", "boot": "b1", "pid": 1, "seq": 0}
    return Beat.model_validate({"service": service, "state": "ready", **values, **more})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock) -> Store:
    return Store(clock)


@pytest.fixture
def parts(settings, bus):
    return house(settings, bus, Store())


@pytest.fixture
def busless(tmp_path, monkeypatch):
    """A house whose bus is not there (yet): fast, and enough for whatever needs no bus."""
    monkeypatch.chdir(tmp_path)
    alone = Settings(host="here", data_dir=tmp_path / "data")
    return house(alone, Bus.idle(alone, "dashboard"), Store())


@asynccontextmanager
async def door(parts, app=None):
    """Serve the door on a free port and yield a client for it."""
    parts.settings.dashboard.port = free_port()
    guarded = bool(parts.gate.access.people)
    bound: socket.socket = server.claim(parts.settings.dashboard, guarded=guarded)
    stop, started = anyio.Event(), anyio.Event()
    async with anyio.create_task_group() as tasks:
        whole = front(app or build(parts), parts)
        tasks.start_soon(server.serve, whole, bound, stop, started, parts.settings.dashboard)
        await started.wait()
        base = f"http://127.0.0.1:{parts.settings.dashboard.port}"
        async with httpx.AsyncClient(base_url=base, timeout=20) as client:
            yield client
        stop.set()


@asynccontextmanager
async def answering(bus, answers):
    """Answer rpc subjects as another service would: subject to (ask, reply)."""
    async with anyio.create_task_group() as tasks:
        endpoints = await rpc.register(bus, "other", "1.0.0", {}, tasks)
        for subject, (ask, reply) in answers.items():
            await endpoints.answer(subject, ask, _giving(reply))
        await bus.nc.flush()
        yield
        await endpoints.stop()
        tasks.cancel_scope.cancel()


def _giving(reply):
    async def give(asked):
        if isinstance(reply, Exception):
            raise reply
        return reply

    return give
