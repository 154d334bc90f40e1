"""The parts of the service on a real bus and a real file, wired as the app does.

The tests of a file share one nats-server, each on new streams; those that kill it, or read its
files, have their own.
"""

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from nats.js.errors import NotFoundError

from services.sessions.follower import Follower
from services.sessions.handlers import Handlers
from services.sessions.index import Index
from services.sessions.journal import Journal
from services.sessions.leases import Leases
from services.sessions.life import Life
from services.sessions.sweep import Sweep
from shared import bootstrap
from shared.bus import Bus, open_bus
from shared.events import SessionAppend
from shared.settings import SessionsSettings
from tests.conftest import NatsServer

OWN = ("test_follower", "test_upkeep", "test_app")
USED = ("SESSIONS", "RESULTS", "DEAD", "KV_session_leases")


@contextlib.contextmanager
def started(folder):
    server = NatsServer(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def common_server(store_root):
    with started(Path(tempfile.mkdtemp(dir=store_root))) as server:
        yield server


@pytest.fixture
def nats_server(request, store_root):
    if request.module.__name__.rpartition(".")[2] not in OWN:
        yield request.getfixturevalue("common_server")
        return
    with started(Path(tempfile.mkdtemp(dir=store_root))) as server:
        yield server


@pytest.fixture
async def bus(settings) -> Bus:
    """A connection to a server whose streams are new and empty."""
    async with open_bus(settings, "test") as opened_bus:
        for name in USED:
            with contextlib.suppress(NotFoundError):
                await opened_bus.js.delete_stream(name)
        await bootstrap.ensure(opened_bus)
        yield opened_bus


@dataclass
class Room:
    """One instance of the service without its process."""

    bus: Bus
    index: Index
    follower: Follower
    journal: Journal
    handlers: Handlers
    leases: Leases
    life: Life
    sweep: Sweep

    async def add(self, session_id="s", kind="note", title="a note", namespace="main", **more):
        ask = SessionAppend(
            namespace=namespace, session_id=session_id, kind=kind, title=title, **more
        )
        return await self.handlers.append(ask)


@contextlib.asynccontextmanager
async def opened(bus, path):
    index = Index(path)
    follower = Follower(bus, index)
    try:
        await follower.open()
        journal = Journal(bus, index, follower, "here")
        async with anyio.create_task_group() as loops:
            loops.start_soon(follower.run)
            leases = Leases(bus)
            doors = Handlers(index, journal, "main", leases)
            life = Life(index, journal, leases, doors.heads, doors.handing)
            sweep = Sweep(index, leases, doors.handing, SessionsSettings(idle_s=3600))
            yield Room(bus, index, follower, journal, doors, leases, life, sweep)
            loops.cancel_scope.cancel()
    finally:
        await index.close()


@pytest.fixture
def room(bus, tmp_path):
    """Open a room: `async with room() as one`; another name is another host's index."""

    def make(name="index"):
        return opened(bus, tmp_path / name / "index.db")

    return make
