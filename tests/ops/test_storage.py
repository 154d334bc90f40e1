import asyncio
import os
import subprocess
from contextlib import asynccontextmanager

import anyio
import pytest
from nats.js.api import StreamConfig

from services.ops.nats_server import NatsServer
from services.ops.record import Record
from services.ops.storage import Refusals, Storage, has_room, shortage
from shared.bus import open_bus
from shared.settings import NatsSettings, Settings
from tests.conftest import free_port

LINE = (
    "[467] 2026/11/23 15:03:39.255489 [ERR] Filestore [B] Critical write error:"
    " write 1.blk: no space left on device\n"
)


@pytest.fixture
def small(tmp_path):
    """A disk of 60 MB."""
    made = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(made, capture_output=True).returncode:
        pytest.skip("only root mounts a disk")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@asynccontextmanager
async def running(settings: Settings):
    record = Record("here", "supervisor")
    server = NatsServer(settings, record, lambda: None)
    await server.start()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run)
        yield Storage(settings.data_dir, record, server), record
        await server.close()
        tasks.cancel_scope.cancel()


def test_a_disk_with_little_left_is_short(tmp_path):
    assert shortage(tmp_path, 0) in ("", shortage(tmp_path))
    assert "MB are free" in shortage(tmp_path, 10**18)


def test_a_failed_write_in_the_log_is_told_once(tmp_path):
    log = tmp_path / "nats.log"
    log.write_text(LINE)
    refusals = Refusals(log)
    assert refusals.look() == ""
    with log.open("a") as file:
        file.write("[467] 2026/11/23 15:03:39.2 [INF] no space left on device\n" + LINE)
    assert refusals.look().startswith("Filestore [B] Critical write error")
    assert refusals.look() == ""
    log.write_text(LINE[:-1] + " again\n")
    log.write_text(LINE)
    assert "no space left" in refusals.look()


async def test_a_full_disk_is_told_and_the_server_started_anew_when_there_is_room(small):
    settings = Settings(data_dir=small, nats=NatsSettings(port=free_port(), auth=False))
    ballast = small / "ballast"
    async with running(settings) as (storage, record), open_bus(settings, "test") as bus:
        await bus.js.add_stream(StreamConfig(name="A", subjects=["a"]))
        ballast.write_bytes(bytes(50 * 1024**2))
        with pytest.raises(asyncio.TimeoutError):
            for _ in range(40):
                await bus.js.publish("a", bytes(900_000), timeout=1)
        await storage.look()
        assert [line.partition(":")[0] for line in storage.reasons] == ["disk_low", "bus_refuses"]
        ballast.unlink()
        assert has_room(small)
        await storage.look()
        await bus.js.publish("a", b"x", timeout=5)
    told = [(e.kind, e.symptom, e.outcome) for e in record.waiting]
    assert ("symptom", "disk_low", None) in told
    assert ("symptom", "bus_refuses", None) in told
    assert ("bus", None, "restarted") in told
    assert [line.partition(":")[0] for line in storage.reasons] == ["disk_low"]
