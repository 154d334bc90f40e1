"""A Docker engine, images of every service, and the composed system; skips with the reason."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
SERVICES = ("router", "agents", "match", "ops", "sessions", "dashboard")
READY_S = 120.0


def docker(*arguments, timeout=60.0):
    """Run `docker` and return its standard output; raise with its words when it fails."""
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"docker {' '.join(arguments[:2])}: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def compose_command():
    """Return the words that call compose: the plugin, else the old program, else none."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if plugin.returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else []


@pytest.fixture(scope="session")
def engine():
    """Skip unless a Docker engine and compose answer."""
    if shutil.which("docker") is None:
        pytest.skip("no docker command on this machine")
    try:
        version = docker("version", "--format", "{{.Server.Version}}", timeout=10)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"no Docker engine answers: {error}")
    if not compose_command():
        pytest.skip("neither `docker compose` nor docker-compose is installed")
    return version


@pytest.fixture(scope="session")
def bases(engine):
    """Skip unless the base images are here or can be pulled."""
    images = {
        "BASE_IMAGE": os.environ.get("BASE_IMAGE", "python:3.11-slim"),
        "NATS_IMAGE": os.environ.get("NATS_IMAGE", "nats:2.15-alpine"),
    }
    for variable, image in images.items():
        try:
            docker("image", "inspect", image)
        except RuntimeError:
            _pull(variable, image)
    return images


def _pull(variable, image):
    try:
        docker("pull", "--quiet", image, timeout=300)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"{image} cannot be pulled ({error}); name another one with {variable}")


class Composed:
    """The system of compose.yaml under a project name of its own, on free ports."""

    def __init__(self, bases):
        self.project = f"sovereign-test-{os.getpid()}"
        self.nats_port = free_port()
        self.dashboard_port = free_port()
        self.environment = os.environ | bases | {
            "SOVEREIGN_ENGINE": "offline",
            "SOVEREIGN_NATS__PORT": str(self.nats_port),
            "SOVEREIGN_DASHBOARD__PORT": str(self.dashboard_port),
            "SOVEREIGN_ROUTER__DOOR_PORT": str(free_port()),
        }  # fmt: skip

    def __call__(self, *arguments, timeout=120.0):
        command = [*compose_command(), "--project-name", self.project, *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"compose {arguments[0]}: {done.stderr.strip()[-2000:]}")
        return done.stdout.strip()

    def container(self, service):
        """Return what the engine knows of the one container of a service."""
        name = (
            self("ps", "--quiet", "--all", service) if self._plural() else self("ps", "-q", service)
        )
        return json.loads(docker("inspect", name.splitlines()[0]))[0]

    def _plural(self):
        return compose_command() == ["docker", "compose"]

    def health(self, service):
        return self.container(service)["State"].get("Health", {}).get("Status", "none")

    def wait_healthy(self, *services):
        """Return the seconds until all are healthy; raise with the logs of those that are not."""
        start = time.monotonic()
        while time.monotonic() - start < READY_S:
            sick = [one for one in services if self.health(one) != "healthy"]
            if not sick:
                return time.monotonic() - start
            time.sleep(0.5)
        logs = "\n".join(self("logs", "--tail=20", one) for one in sick)
        raise RuntimeError(f"not healthy in {READY_S:g} s: {sick}\n{logs}")

    def sovereign(self, *arguments, timeout=90.0):
        """Run the command line on this machine, on the composed system's bus."""
        clean = {name: v for name, v in os.environ.items() if not name.startswith("SOVEREIGN_")}
        variables = clean | {"SOVEREIGN_NATS__URL": f"nats://127.0.0.1:{self.nats_port}"}
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments], cwd=ROOT, env=variables,
            capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip


@pytest.fixture(scope="session")
def system(bases):
    """The composed system, built, up and healthy; taken down with its volumes afterwards."""
    composed = Composed(bases)
    composed("build", *SERVICES, timeout=1800)
    try:
        composed("up", "--detach", "nats", *SERVICES, timeout=300)
        composed.wait_healthy("nats", *SERVICES)
        yield composed
    finally:
        composed("down", "--volumes", "--timeout", "20", timeout=120)
