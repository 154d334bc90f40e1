"""The dashboard as a real process: it serves, refuses a taken port, and leaves when told."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager

import httpx

from tests.conftest import free_port


@asynccontextmanager
async def process(settings, port: int):
    """Start `python -m services.dashboard`; end it in any case."""
    environment = {key: value for key, value in os.environ.items() if "SOVEREIGN" not in key}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.dashboard",
        env=environment | {
            "SOVEREIGN_NATS__URL": settings.nats_url,
            "SOVEREIGN_DATA_DIR": str(settings.data_dir),
            "SOVEREIGN_DASHBOARD__PORT": str(port),
        },
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def answer(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """Ask until somebody listens."""
    while True:
        try:
            return await client.get(path)
        except httpx.ConnectError:
            await asyncio.sleep(0.05)


async def ready(client: httpx.AsyncClient) -> None:
    """Ask until the service itself beats as ready."""
    for _ in range(400):
        services = (await answer(client, "/health")).json()["services"]
        if services["dashboard"]["state"] == "ready":
            return
        await asyncio.sleep(0.1)
    raise AssertionError("never ready")


async def test_it_serves_before_the_bus_is_there_and_says_so(settings, nats_server):
    nats_server.kill()
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{(port := free_port())}", timeout=30)
    async with process(settings, port) as started, client:
        alive, page = await answer(client, "/healthz"), await client.get("/dashboard")
        asked = await client.post("/tasks/execute", json={"title": "a"})
        assert (alive.status_code, "Waiting for the bus" in page.text) == (200, True)
        assert (asked.status_code, asked.json()["error"]["code"]) == (503, "unavailable")
        assert (await client.get("/health")).json()["status"] == "down"
        nats_server.start()
        await ready(client)
        while "Waiting for the bus" in (await client.get("/dashboard")).text:
            pass
        started.terminate()
        _, errors = await started.communicate()
    assert (started.returncode, b"Traceback" in errors) == (0, False), errors.decode()


async def test_it_leaves_in_peace_before_the_bus_is_there(settings, nats_server):
    nats_server.kill()
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{(port := free_port())}", timeout=30)
    async with process(settings, port) as started, client:
        await answer(client, "/healthz")
        started.terminate()
        _, errors = await started.communicate()
    assert (started.returncode, b"Traceback" in errors) == (0, False), errors.decode()


async def test_it_serves_refuses_a_taken_port_and_leaves_when_told(settings, bus):
    port = free_port()
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30)
    async with process(settings, port) as first, client:
        await ready(client)
        assert "Services up" in (await client.get("/dashboard")).text
        assert (await client.get("/")).headers["location"] == "/dashboard"
        assert (await client.get("/dashboard/static/theme.css")).status_code == 200
        async with process(settings, port) as second:
            line = (await second.communicate())[1].decode()
        assert (second.returncode, line.count("\n")) == (2, 1)
        assert f"SOVEREIGN_DASHBOARD__PORT={port}" in line
        heard = await bus.nc.subscribe("task.request.normal")
        waiting = asyncio.create_task(
            client.post("/tasks/execute?wait=60", json={"title": "never done"})
        )
        await heard.next_msg(timeout=20)
        first.terminate()
        _, errors = await first.communicate()
        assert (await waiting).json()[0]["state"] == "queued"
    assert (first.returncode, b"Traceback" in errors) == (0, False)
