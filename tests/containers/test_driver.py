"""A service that hangs in a container: ops finds it out, and the engine restarts it."""

import asyncio
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from shared.events import OpsEvent, OpsStatus
from shared.events.reports import Empty
from shared.reading import read_subject
from tests.containers.conftest import docker

pytestmark = [pytest.mark.containers, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "ops" / "sample_service.py"
IMAGE = "sovereign-test-empty"
MOUNTS = ("/usr", "/bin", "/lib", "/lib64", "/etc", str(ROOT), sys.prefix, sys.base_prefix)


@pytest.fixture
def image(engine):
    """An image with nothing in it: what runs is mounted from this host."""
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    command = ["docker", "import", "-", IMAGE]
    subprocess.run(command, input=empty.getvalue(), check=True, capture_output=True, timeout=60)
    yield IMAGE
    docker("rmi", "--force", IMAGE)


@pytest.fixture
def container(image, settings):
    """The sample service `match` in a container on this host's network."""
    mounts = [word for path in dict.fromkeys(MOUNTS) for word in ("-v", f"{path}:{path}:ro")]
    given = {
        "SOVEREIGN_NATS__URL": settings.nats_url, "SOVEREIGN_DATA_DIR": "/tmp/data",
        "SOVEREIGN_SUPERVISED": "true", "SOVEREIGN_OPS__BEAT_S": "0.5", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    variables = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
    started = docker(
        "run", "--detach", "--network", "host", "--label", "sovereign.service=match",
        "--tmpfs", "/tmp", *mounts, *variables, image, sys.executable, str(SAMPLE), "match",
    )  # fmt: skip
    yield started
    docker("rm", "--force", started)


@pytest.fixture
def keepers(bus, settings, tmp_path):
    """Ops, and the supervisor of containers, as processes."""
    given = {
        "SOVEREIGN_NATS__URL": settings.nats_url, "SOVEREIGN_OPS__DRIVER": "docker",
        "SOVEREIGN_DATA_DIR": str(tmp_path / "data"), "SOVEREIGN_HOST": "engine",
        "SOVEREIGN_OPS__BEAT_S": "0.5", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    modules = ("services.ops", "services.ops.supervisor")
    processes = [
        subprocess.Popen([sys.executable, "-m", module], env=os.environ | given, cwd=tmp_path)
        for module in modules
    ]
    yield
    for process in processes:
        process.terminate()
    assert [process.wait(30) for process in processes] == [0, 0]


async def recorded(bus, kind: str, service: str) -> OpsEvent:
    while True:
        for stored in await read_subject(bus, "OPS", f"ops.event.{kind}"):
            event = OpsEvent.model_validate_json(stored.data)
            if event.service == service:
                return event
        await asyncio.sleep(0.1)


async def known(bus) -> None:
    """Return when ops knows the service and the supervisor that speaks for its container."""
    while True:
        status = await bus.request("ops.status", Empty(), OpsStatus, 20.0)
        if {"match", "supervisor"} <= {one.service for one in status.instances}:
            return
        await asyncio.sleep(0.1)


async def test_a_hung_container_is_restarted_through_the_engine(bus, keepers, container):
    await recorded(bus, "ready", "match")
    await recorded(bus, "leader", "ops")
    await known(bus)
    await bus.nc.publish("match.block", b"{}")
    symptom = await recorded(bus, "symptom", "match")
    recovered = await recorded(bus, "recovered", "match")
    assert (symptom.symptom, recovered.remedy) == ("hang", "restart")
    assert docker("inspect", "--format", "{{.State.Running}}", container) == "true"
