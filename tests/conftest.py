"""A real nats-server for every test that needs a bus."""

import asyncio
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from shared import bootstrap
from shared.bus import Bus, open_bus
from shared.settings import NatsSettings, Settings

SERVER = Path(sys.executable).parent / "nats-server"
MEMORY = Path("/dev/shm")
ROOMY = 4 * 1024**3


PORTS = range(10_000, 32_000)
"""Below those that Linux gives to outgoing connections: one of them could take a port that was
found free before whoever asked for it binds it."""


def free_port() -> int:
    while True:
        port = random.SystemRandom().choice(PORTS)  # tests seed the common one
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class NatsServer:
    """A nats-server process on a free port with JetStream in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self, more: str = "", sync: str = "") -> None:
        config = self.folder / "nats.conf"
        config.write_text(
            more + f"\nport: {self.port}\nhost: 127.0.0.1\nmax_payload: 2MB\n"
            f'jetstream {{ store_dir: "{self.folder}", max_file: 4GB, max_mem: 64MB,'
            f" {sync and f'sync_interval: {sync}'}\n}}\n"
        )
        command = [str(SERVER), "-c", str(config), "-l", str(self.folder / "nats.log")]
        self.process = subprocess.Popen(command)
        self._wait()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _wait(self) -> None:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise RuntimeError("nats-server did not start")


@pytest.fixture(scope="session")
def store_root(tmp_path_factory):
    """Where servers store: in memory where it is roomy, as files on disk cost more than the tests.

    A server that is killed loses nothing there either.
    """
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOMY:
        yield tmp_path_factory.mktemp("stores")
        return
    with tempfile.TemporaryDirectory(prefix="sovereign-tests-", dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def store_folder(store_root):
    """A folder of one server; it is gone after the test."""
    folder = Path(tempfile.mkdtemp(dir=store_root))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def nats_server(store_folder):
    server = NatsServer(store_folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def settings(nats_server, tmp_path, monkeypatch) -> Settings:
    """Settings of a host called `here` with its own data folder, blind to the environment."""
    monkeypatch.chdir(tmp_path)
    return Settings(host="here", data_dir=tmp_path / "data", nats=NatsSettings(url=nats_server.url))


@pytest.fixture
async def bus(settings) -> Bus:
    """A connection to a server on which everything is declared."""
    async with open_bus(settings, "test") as opened:
        await bootstrap.ensure(opened)
        yield opened
        await asyncio.sleep(0)
