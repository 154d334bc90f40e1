"""Makespan over three hosts of which one is ten times slower, beside the ideal and two peers.

`python -m benchmarks router_balance`. Each host answers in a fixed time and has two slots, as an
Ollama with OLLAMA_NUM_PARALLEL=2: what is more waits inside. `ideal` is the best possible schedule.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import time
from collections.abc import Callable

from benchmarks.table import show
from services.router.pool.energy import Meter
from services.router.pool.host import Host
from services.router.pool.places import Places, Want
from shared.events import EngineStatus

SECONDS = {"fast-1": 0.03, "fast-2": 0.03, "slow": 0.3}
SLOTS = 2
COUNT = 120
IN_FLIGHT = 40
ROUNDS = 5
AIM = 1.3


class Servers:
    """Three servers that take `SLOTS` at a time and let the rest wait."""

    def __init__(self) -> None:
        self.rooms = {name: asyncio.Semaphore(SLOTS) for name in SECONDS}
        self.counts = dict.fromkeys(SECONDS, 0)

    async def answer(self, name: str) -> None:
        self.counts[name] += 1
        async with self.rooms[name]:
            await asyncio.sleep(SECONDS[name])


class Engine:
    """What the pool asks of a host's engine here: that it holds every model."""

    url = ""

    class catalogue:  # noqa: N801
        @staticmethod
        def find(name: str) -> str:
            return name


def host(name: str) -> Host:
    made = Host(name, Engine(), slots=SLOTS, weight=1.0, meter=Meter(None, None))  # type: ignore[arg-type]
    made.status = EngineStatus(engine="ollama", setting="auto", state="ready", is_llm=True)
    made.loaded = frozenset({"m:latest"})
    return made


async def ours(servers: Servers, count: int, in_flight: int) -> float:
    places = Places([host(name) for name in SECONDS], 1000)

    async def one() -> None:
        async with places.hold(Want("m")) as held:
            began = time.monotonic()
            await servers.answer(held.host.name)
            held.host.answered("m", time.monotonic() - began, 0.0)

    return await load(one, count, in_flight)


async def pushed(
    servers: Servers, choose: Callable[[dict[str, int]], str], count: int, in_flight: int
) -> float:
    """Balance as gateways without a queue do: each request goes to a host at once."""
    running = dict.fromkeys(SECONDS, 0)

    async def one() -> None:
        name = choose(running)
        running[name] += 1
        await servers.answer(name)
        running[name] -= 1

    return await load(one, count, in_flight)


async def load(one: Callable[[], object], count: int, in_flight: int) -> float:
    room = asyncio.Semaphore(in_flight)

    async def run() -> None:
        async with room:
            await one()  # type: ignore[misc]

    began = time.perf_counter()
    await asyncio.gather(*(run() for _ in range(count)))
    return time.perf_counter() - began


def ideal(count: int) -> float:
    """Return the best makespan: each request to the place that would end it first."""
    places = [(seconds, seconds) for seconds in SECONDS.values() for _ in range(SLOTS)]
    heapq.heapify(places)
    end = 0.0
    for _ in range(count):
        at, seconds = heapq.heappop(places)
        end = max(end, at)
        heapq.heappush(places, (at + seconds, seconds))
    return end


async def run() -> None:
    """Print the table for a full load and for one request after the other."""
    rows = []
    for title, count, in_flight in (("40 in flight", COUNT, IN_FLIGHT), ("one at a time", 24, 1)):
        best = ideal(count) if in_flight > 1 else count * min(SECONDS.values())
        for name in ("ours", "least busy", "round robin", "random"):
            took, counts = await _median(name, count, in_flight)
            rows.append(
                {"load": title, "balancer": name, "requests": count, "seconds": took,
                 "of the ideal": took / best, "to the slow host": counts["slow"],
                 "aim": _aim(took / best) if name == "ours" and in_flight > 1 else ""}
            )  # fmt: skip
    show("router_balance", "Three hosts, one ten times slower: makespan", rows)


def _aim(ratio: float) -> str:
    return f"<= {AIM}: {'met' if ratio <= AIM else 'MISSED'}"


async def ours_of_ideal() -> list[float]:
    """Return the makespan of each round of a full load, as a multiple of the ideal one."""
    best = ideal(COUNT)
    return [await ours(Servers(), COUNT, IN_FLIGHT) / best for _ in range(ROUNDS)]


async def _median(name: str, count: int, in_flight: int) -> tuple[float, dict[str, int]]:
    found = []
    for seed in range(ROUNDS):
        servers, dice = Servers(), random.Random(seed)
        turn = itertools.cycle(SECONDS)
        choices: dict[str, Callable[[dict[str, int]], str]] = {
            "least busy": lambda running: min(running, key=lambda one: running[one]),
            "round robin": lambda _, turn=turn: next(turn),
            "random": lambda _, dice=dice: dice.choice(list(SECONDS)),
        }
        if name == "ours":
            took = await ours(servers, count, in_flight)
        else:
            took = await pushed(servers, choices[name], count, in_flight)
        found.append((took, servers.counts))
    return sorted(found, key=lambda one: one[0])[ROUNDS // 2]
