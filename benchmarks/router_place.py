"""The router as it runs, for measurements: nats-server, upstream and router, each a process.

Everything is on: users and rights on the bus, a key at the door, record, events, metrics, cache.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import nats
import orjson
import psutil

from benchmarks.measuring import One, Way
from services.ops import keys
from shared import bootstrap
from shared.bus import open_bus
from shared.rights import authorization
from shared.settings import NatsSettings, Settings
from tests.conftest import NatsServer, free_port

SAID = [{"role": "user", "content": "hello there " * 20}]
FLOOR = "FLOOR: aiohttp, direct"
PATIENCE_S = 240.0
KEY = "sk-measured"
MARKS = {"authorization": f"Bearer {KEY}"}
ASKING = "agents"
"""The user of the bus that asks here."""


@dataclass
class Place:
    """What is measured against."""

    upstream: str
    door: str
    client: Any
    session: aiohttp.ClientSession
    router: psutil.Process
    bus_pid: int
    upstream_pid: int

    async def bus(self, body: bytes) -> None:
        answer = await self.client.request("model.chat", body, timeout=30)
        if b'"type":"final"' not in answer.data:
            raise RuntimeError(answer.data[:200])

    async def post(self, body: bytes) -> bytes:
        return await post(self.session, self.door, body, **MARKS)

    async def chats(self) -> int:
        """Return how many chats the upstream has answered."""
        async with self.session.get(f"{self.upstream}/count") as response:
            told: int = (await response.json())["chats"]
        return told


def asked(**fields: Any) -> bytes:
    return orjson.dumps({"model": "m-1", "messages": SAID, **fields})


def own(place: Place) -> list[Way]:
    """Return the floor and our own ways, each with and without the cache."""
    chat, pid = f"{place.upstream}/api/chat", place.router.pid
    plain, kept, direct = asked(), asked(temperature=0), asked(stream=True)
    on_bus = asked(options={"temperature": 0})
    return [
        Way(FLOOR, lambda: post(place.session, chat, direct)),
        Way("router, bus", lambda: place.bus(plain), pid),
        Way("router, door", lambda: place.post(plain), pid),
        Way("router, bus, cache hit", lambda: place.bus(on_bus), pid),
        Way("router, door, cache hit", lambda: place.post(kept), pid),
    ]


@asynccontextmanager
async def placed(folder: Path, **more: str) -> AsyncIterator[Place]:
    """Start nats-server, the upstream and the router in processes of their own."""
    upstream, door = free_port(), free_port()
    async with bus_server(folder) as (server, settings):
        environment = os.environ | {
            "SOVEREIGN_DATA_DIR": str(folder), "SOVEREIGN_NATS__URL": server.url,
            "SOVEREIGN_NATS__NKEY_FILE": _seed(settings, "router"),
            "SOVEREIGN_NATS__BOOTSTRAP": "false",
            "SOVEREIGN_ROUTER__OLLAMA_URL": f"http://127.0.0.1:{upstream}",
            "SOVEREIGN_ROUTER__MODEL": "m-1", "SOVEREIGN_ROUTER__SLOTS": "64",
            "SOVEREIGN_ROUTER__DOOR_KEYS": f'{{"bench": "{KEY}"}}',
            "SOVEREIGN_ROUTER__DOOR_RATE": "100000000",
            "SOVEREIGN_ROUTER__DOOR_PORT": str(door), "SOVEREIGN_HOST": "here", **more,
        }  # fmt: skip
        fake = [sys.executable, "-m", "benchmarks.instant_ollama", str(upstream)]
        router = [sys.executable, "-m", "services.router"]
        async with (
            running(fake, environment) as answering,
            running(router, environment) as process,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        ):
            client = await _connected(server.url, settings)
            urls = (f"http://127.0.0.1:{upstream}", f"http://127.0.0.1:{door}/v1/chat/completions")
            assert server.process is not None
            router_process, bus_pid = psutil.Process(process.pid), server.process.pid
            place = Place(*urls, client, session, router_process, bus_pid, answering.pid)
            await ready(lambda: place.post(asked()), process)
            yield place
            await client.close()


@asynccontextmanager
async def bus_server(folder: Path) -> AsyncIterator[tuple[NatsServer, Settings]]:
    """Start a nats-server that knows the users of the house, with everything declared on it."""
    server = NatsServer(folder)
    settings = Settings(host="here", data_dir=folder, nats=NatsSettings(url=server.url))
    try:
        server.start(authorization(keys.user_keys(settings)))
        seed = {"nkey_file": Path(_seed(settings, "supervisor"))}
        told = settings.nats.model_copy(update=seed)
        owner = settings.model_copy(update={"nats": told})
        async with open_bus(owner, "supervisor") as bus:
            await bootstrap.ensure(bus)
        yield server, settings
    finally:
        server.kill()


def _seed(settings: Settings, user: str) -> str:
    return str(keys.folder(settings) / f"{user}.nk")


async def _connected(url: str, settings: Settings) -> Any:
    seed, inbox = _seed(settings, ASKING), f"_INBOX.{ASKING}"
    return await nats.connect(url, nkeys_seed=seed, inbox_prefix=inbox)


async def post(session: aiohttp.ClientSession, url: str, body: bytes, **headers: str) -> bytes:
    given = {"content-type": "application/json"} | headers
    async with session.post(url, data=body, headers=given) as response:
        data = await response.read()
        if response.status != 200:
            raise RuntimeError(f"{url}: {response.status} {data[:200]!r}")
        return data


@asynccontextmanager
async def running(
    command: list[str], environment: dict[str, str]
) -> AsyncIterator[subprocess.Popen[bytes]]:
    silent = subprocess.DEVNULL
    process = subprocess.Popen(  # noqa: ASYNC220 - nothing else waits for the loop now
        command, env=environment, stdout=silent, stderr=silent
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


async def ready(one: One, process: subprocess.Popen[bytes] | None = None) -> None:
    """Return when the first answer comes; raise when the process that should give it has ended."""
    async with asyncio.timeout(PATIENCE_S):
        while process is None or process.poll() is None:
            try:
                await one()
            except (aiohttp.ClientError, RuntimeError, OSError):
                await asyncio.sleep(0.3)
            else:
                return
    assert process is not None
    raise RuntimeError(f"it ended with {process.returncode}: {process.args!r}")
