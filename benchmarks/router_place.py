"""The router as it runs, for measurements: nats-server, upstream and router, each a process."""

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
from tests.conftest import NatsServer, free_port

SAID = [{"role": "user", "content": "hello there " * 20}]
FLOOR = "FLOOR: aiohttp, direct"
PATIENCE_S = 240.0


@dataclass
class Place:
    """What is measured against."""

    upstream: str
    door: str
    client: Any
    session: aiohttp.ClientSession
    router: psutil.Process
    bus_pid: int

    async def bus(self, body: bytes) -> None:
        answer = await self.client.request("model.chat", body, timeout=30)
        if b'"type":"final"' not in answer.data:
            raise RuntimeError(answer.data[:200])

    async def post(self, body: bytes) -> bytes:
        return await post(self.session, self.door, body)

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
    server, upstream, door = NatsServer(folder), free_port(), free_port()
    server.start()
    assert server.process is not None
    environment = os.environ | {
        "SOVEREIGN_DATA_DIR": str(folder), "SOVEREIGN_NATS__URL": server.url,
        "SOVEREIGN_ROUTER__OLLAMA_URL": f"http://127.0.0.1:{upstream}",
        "SOVEREIGN_ROUTER__MODEL": "m-1", "SOVEREIGN_ROUTER__SLOTS": "64",
        "SOVEREIGN_ROUTER__DOOR_PORT": str(door), "SOVEREIGN_HOST": "here", **more,
    }  # fmt: skip
    fake = [sys.executable, "-m", "benchmarks.instant_ollama", str(upstream)]
    router = [sys.executable, "-m", "services.router"]
    try:
        async with (
            running(fake, environment),
            running(router, environment) as process,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        ):
            client = await nats.connect(server.url)
            urls = (f"http://127.0.0.1:{upstream}", f"http://127.0.0.1:{door}/v1/chat/completions")
            held = psutil.Process(process.pid), server.process.pid
            place = Place(*urls, client, session, *held)
            await ready(lambda: place.post(asked()))
            yield place
            await client.close()
    finally:
        server.kill()


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


async def ready(one: One) -> None:
    """Return when the first answer comes."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await one()
            except (aiohttp.ClientError, RuntimeError, OSError):
                await asyncio.sleep(0.3)
            else:
                return
