"""What the router adds to a model's answer, beside a bare client and other gateways.

`python -m benchmarks router_speed`: the router, with everything on (record, events, cache), its
nats-server and an upstream that answers at once, each in its own process; this process asks.
Rounds are interleaved, so that a busy machine is busy for all.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import nats
import orjson
import psutil

from benchmarks.router_peers import SAID, One, Way, _ready, _running, peers, post
from benchmarks.table import quantile, show
from services.router.cache import Cache
from services.router.engine import Answer
from services.router.keys import key
from shared.events import CacheEvent, ChatOptions, ChatRequest
from shared.settings import RouterSettings
from tests.conftest import NatsServer, free_port

SHORT = "CI" in os.environ
ROUNDS = 2 if SHORT else 5
CALLS = 60 if SHORT else 200
WIDTH = 16
MANY = int(os.environ.get("BENCH_CALLS", "2000" if SHORT else "100000"))


@dataclass
class Place:
    """What is measured against."""

    upstream: str
    door: str
    client: Any
    session: aiohttp.ClientSession
    router: psutil.Process
    times: dict[str, list[float]] = field(default_factory=dict)

    async def bus(self, body: bytes) -> None:
        answer = await self.client.request("model.chat", body, timeout=30)
        if b'"type":"final"' not in answer.data:
            raise RuntimeError(answer.data[:200])


async def run() -> None:
    """Measure everything; one table for each question."""
    with tempfile.TemporaryDirectory() as folder:
        async with placed(Path(folder)) as place, peers(place.session, place.upstream) as others:
            paths = own(place)
            await latency([*paths, *others], place)
            await throughput([*(p for p in paths if "hit" not in p.name), *others])
            await streams(place)
            await coalesced(place)
            await memory(place)
    in_process()


@asynccontextmanager
async def placed(folder: Path) -> AsyncIterator[Place]:
    """Start nats-server, the upstream and the router in processes of their own."""
    server, upstream, door = NatsServer(folder), free_port(), free_port()
    server.start()
    environment = os.environ | {
        "SOVEREIGN_DATA_DIR": str(folder), "SOVEREIGN_NATS__URL": server.url,
        "SOVEREIGN_ROUTER__OLLAMA_URL": f"http://127.0.0.1:{upstream}",
        "SOVEREIGN_ROUTER__MODEL": "m-1", "SOVEREIGN_ROUTER__SLOTS": "64",
        "SOVEREIGN_ROUTER__DOOR_PORT": str(door), "SOVEREIGN_HOST": "here",
    }  # fmt: skip
    fake = [sys.executable, "-m", "benchmarks.instant_ollama", str(upstream)]
    router = [sys.executable, "-m", "services.router"]
    try:
        async with (
            _running(fake, environment),
            _running(router, environment) as process,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        ):
            client = await nats.connect(server.url)
            urls = (f"http://127.0.0.1:{upstream}", f"http://127.0.0.1:{door}/v1/chat/completions")
            place = Place(*urls, client, session, psutil.Process(process.pid))
            await _ready(lambda: post(session, place.door, asked()))
            yield place
            await client.close()
    finally:
        server.kill()


def asked(**fields: Any) -> bytes:
    return orjson.dumps({"model": "m-1", "messages": SAID, **fields})


def own(place: Place) -> list[Way]:
    """Return the floor and our own ways, each with and without the cache."""
    chat, pid = f"{place.upstream}/api/chat", place.router.pid
    plain, kept = asked(), asked(temperature=0)
    on_bus = asked(options={"temperature": 0})
    return [
        Way("FLOOR: aiohttp, direct", lambda: post(place.session, chat, asked(stream=True))),
        Way("router, bus", lambda: place.bus(plain), pid),
        Way("router, door", lambda: post(place.session, place.door, plain), pid),
        Way("router, bus, cache hit", lambda: place.bus(on_bus), pid),
        Way("router, door, cache hit", lambda: post(place.session, place.door, kept), pid),
    ]


async def latency(paths: list[Way], place: Place) -> None:
    """One request at a time."""
    for path in paths:
        place.times[path.name] = []
        await timed(path.one, 30)
    for _ in range(ROUNDS):
        for path in paths:
            place.times[path.name] += await timed(path.one, CALLS)
    floor = quantile(place.times[paths[0].name], 0.5)
    rows = []
    for path in paths:
        p50, p99 = (quantile(place.times[path.name], share) for share in (0.5, 0.99))
        rows.append({"path": path.name, "p50_ms": 1e3 * p50, "p99_ms": 1e3 * p99,
                     "added_ms": 1e3 * (p50 - floor)})  # fmt: skip
    title = "One at a time (aims: added <= 1.0 ms, a hit on the bus <= 0.6 ms in all)"
    show("router_latency", title, rows)


async def timed(one: One, count: int) -> list[float]:
    taken = []
    for _ in range(count):
        begin = time.perf_counter()
        await one()
        taken.append(time.perf_counter() - begin)
    return taken


async def throughput(paths: list[Way]) -> None:
    """Sixteen in flight; the CPU of the process between is what a busy machine cannot hide."""
    rows = []
    for path in paths:
        count = CALLS * 2 if path.pid is None or "router" in path.name else CALLS // 2
        best, cpu = 0.0, 0.0
        for _ in range(ROUNDS):
            before, begin = _cpu(path.pid), time.perf_counter()
            await asyncio.gather(*(timed(path.one, count // WIDTH + 1) for _ in range(WIDTH)))
            done = (count // WIDTH + 1) * WIDTH
            best = max(best, done / (time.perf_counter() - begin))
            cpu += (_cpu(path.pid) - before) / done / ROUNDS
        memory = psutil.Process(path.pid).memory_info().rss / 1e6 if path.pid else None
        rows.append({"path": path.name, "req_s": best, "cpu_us": 1e6 * cpu if cpu else None,
                     "req_s_of_a_core": 1 / cpu if cpu else None, "rss_mb": memory})  # fmt: skip
    title = "16 in flight, best round (aims: 2,000 req/s a process, 30 x the LiteLLM proxy)"
    show("router_throughput", title, rows)


def _cpu(pid: int | None) -> float:
    if pid is None:
        return 0.0
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def streams(place: Place) -> None:
    """The first chunk, and 64 of them."""
    ways = {
        "FLOOR: aiohttp, direct": (f"{place.upstream}/api/chat", {"stream": True}),
        "router, door": (place.door, {"stream": True, "temperature": 1}),
    }
    firsts: dict[str, list[float]] = {name: [] for name in ways}
    wholes: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS * CALLS // 2):
        for name, (url, fields) in ways.items():
            first, whole = await _streamed(place.session, url, asked(**fields | {"model": "m-64"}))
            firsts[name].append(first)
            wholes[name].append(whole)
    rows = [
        {"path": name, "first_ms": 1e3 * quantile(firsts[name], 0.5),
         "whole_ms": 1e3 * quantile(wholes[name], 0.5)}
        for name in ways
    ]  # fmt: skip
    title = "A stream of 64 chunks, p50 (aims: first + 1 ms, whole + 3 ms)"
    show("router_streams", title, rows)


async def _streamed(session: aiohttp.ClientSession, url: str, body: bytes) -> tuple[float, float]:
    begin, first = time.perf_counter(), 0.0
    headers = {"content-type": "application/json"}
    async with session.post(url, data=body, headers=headers) as response:
        async for _ in response.content.iter_any():
            first = first or time.perf_counter() - begin
    return first, time.perf_counter() - begin


async def coalesced(place: Place) -> None:
    """A hundred who ask the same at once."""
    before = await _chats(place)
    same = asked(options={"temperature": 0, "seed": time.time_ns()})
    await asyncio.gather(*(place.bus(same) for _ in range(100)))
    rows = [{"asked": 100, "upstream": await _chats(place) - before}]
    show("router_coalesced", "100 identical requests in flight (aim: 1 upstream)", rows)


async def _chats(place: Place) -> int:
    async with place.session.get(f"{place.upstream}/count") as response:
        told: int = (await response.json())["chats"]
    return told


async def memory(place: Place) -> None:
    """What the router holds after the first tenth of many calls, and after all."""
    body = asked(options={"temperature": 1})
    rows, done = [], 0
    for goal in (MANY // 10, MANY):
        share = (goal - done) // WIDTH
        await asyncio.gather(*(timed(lambda: place.bus(body), share) for _ in range(WIDTH)))
        done += share * WIDTH
        rows.append({"calls": done, "rss_mb": place.router.memory_info().rss / 1e6})
    show("router_memory", "Memory (aim: <= 80 MB, no growth)", rows)


def in_process() -> None:
    """A hit without any transport: the key and the look-up."""
    settings = RouterSettings()
    request = ChatRequest.model_validate(
        {"messages": SAID, "model": "m-1", "options": ChatOptions(temperature=0)}
    )
    event = CacheEvent(kind="miss", key="")
    cache = Cache(1000, 3600.0, lambda _: None)
    cache.put(key(request, "ollama", "d", settings), Answer("word", "m-1"), event)
    taken = []
    for _ in range(5):
        begin = time.process_time()
        for _ in range(5000):
            cache.get(key(request, "ollama", "d", settings), event)
        taken.append((time.process_time() - begin) / 5000)
    rows = [{"what": "key and look-up", "cpu_us": 1e6 * min(taken)}]
    show("router_hit", "A cache hit in the process (aim: <= 10 us)", rows)
