"""Real supervisors over sample services, in folders and on ports of their own."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from shared.bus import open_bus
from shared.clock import now
from shared.events import OpsCommand, OpsEvent
from shared.ids import ulid
from shared.reading import read_subject
from shared.settings import DashboardSettings, NatsSettings, Settings
from shared.signing import Signer, seed
from tests.conftest import free_port

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


class Running:
    """One `sample_host.py` process with its data folder."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.settings = Settings(
            host="here",
            data_dir=folder / "data",
            nats=NatsSettings(port=free_port()),
            dashboard=DashboardSettings(port=free_port()),
        )
        self._environment = environment
        self.process: subprocess.Popen[str]

    def start(self, *arguments: str) -> None:
        with (self.folder / "stderr").open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "sample_host.py"), *arguments],
                env=self.environment(),
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def environment(self) -> dict[str, str]:
        return (
            dict(os.environ)
            | {
                "PYTHONPATH": str(ROOT),
                "SOVEREIGN_HOST": "here",
                "SOVEREIGN_DATA_DIR": str(self.settings.data_dir),
                "SOVEREIGN_NATS__PORT": str(self.settings.nats.port),
                "SOVEREIGN_DASHBOARD__PORT": str(self.settings.dashboard.port),
                "SOVEREIGN_ROUTER__DOOR_PORT": "0",
            }
            | self._environment
        )

    def banner(self) -> list[str]:
        return [self.process.stdout.readline() for _ in range(4)]

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()

    def processes(self) -> list[psutil.Process]:
        """Every process that was started for this folder, whoever owns it now."""
        return [p for p in psutil.process_iter() if str(self.folder) in _about(p)]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(30)
        self.process.stdout.close()
        return code

    def destroy(self) -> None:
        for process in self.processes():
            process.kill()
        self.process.wait(10)
        self.process.stdout.close()

    def command(self, verb: str, service: str, **changes) -> tuple[str, object]:
        """Return the subject of this host and a command signed by its own ops."""
        present = now()
        fields = {
            "command_id": ulid(), "verb": verb, "host": "here", "service": service,
            "reason": "a test", "issued_by": "ops", "issued_at": present, "nonce": ulid(),
            "expires_at": present + timedelta(seconds=10), "revision": 1,
        }  # fmt: skip
        signer = Signer(seed(self.settings.data_dir / "keys" / "ops.nk"))
        subject = "ops.command.here"
        return subject, signer.sign(subject, OpsCommand.model_validate(fields | changes))

    @asynccontextmanager
    async def bus(self):
        async with open_bus(self.settings, "test") as opened:
            yield opened
            await asyncio.sleep(0)


async def until(bus, kind: str, service: str, **wanted) -> OpsEvent:
    """Return the first recorded event of this kind and service that has these values."""
    while True:
        for stored in await read_subject(bus, "OPS", f"ops.event.{kind}"):
            event = OpsEvent.model_validate_json(stored.data)
            if event.service == service and wanted.items() <= event.model_dump().items():
                return event
        await asyncio.sleep(0.05)


def gone(processes: list[psutil.Process], within_s: float = 20.0) -> bool:
    """Tell whether all have left in time."""
    return not psutil.wait_procs(processes, timeout=within_s)[1]


def _about(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) + process.environ().get("SOVEREIGN_DATA_DIR", "")
    except psutil.Error:
        return ""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A host with the services match and sessions, up for all tests of one file."""
    running = Running(tmp_path_factory.mktemp("host"), SOVEREIGN_OPS__RESTARTS="1")
    running.start("match", "sessions")
    running.lines = running.banner()
    yield running
    running.destroy()


@pytest.fixture
def fresh(tmp_path):
    """A host that is not started yet."""
    running = Running(tmp_path)
    yield running
    running.destroy()
