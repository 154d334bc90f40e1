"""What the router adds to a model's answer, beside a bare client and other gateways.

`python -m benchmarks router_speed`: the router, with everything on (users of the bus, a key at the
door, record, events, cache), its nats-server and an upstream that answers at once, each in its own
process; this process asks. Rounds go from way to way, so that a busy machine is busy for all;
`added` is the median over the rounds of what a round added to the same round of the floor, and
`spread` the quartiles of the rounds. The last table holds every aim and whether it was met.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks import aims, router_balance, router_memory
from benchmarks.aims import Aim
from benchmarks.cores import own_core
from benchmarks.measuring import Rounds, Way, alternate, differences, middle, spread
from benchmarks.router_peers import PROXIES, peers
from benchmarks.router_place import FLOOR, SAID, Place, asked, own, placed
from benchmarks.router_streams import firsts, wholes
from benchmarks.table import quantile, show
from services.router.cache import Cache
from services.router.engine import Answer
from services.router.keys import key
from shared.events import CacheEvent, ChatOptions, ChatRequest
from shared.settings import RouterSettings

SHORT = "CI" in os.environ
ROUNDS, CALLS = (4, 25) if SHORT else (30, 40)
PEER_ROUNDS, PEER_CALLS = (2, 10) if SHORT else (8, 24)
MANY_ROUNDS, ROUND_S = (3, 0.3) if SHORT else (9, 1.0)
STREAM_ROUNDS, STREAM_CALLS = (4, 10) if SHORT else (20, 20)
WIDTH = 16
WARM = 30
FAST, TIMES = (2000.0, "", True), (30.0, "times", True)
"""At least so many requests a second, and so many times the proxy's."""
CPU = "_us: the CPU of a call, of the process between, nats-server and the one that asks"
OURS = ("router, bus", "router, door")
HITS = ("router, bus, cache hit", "router, door, cache hit")


async def run() -> None:
    """Measure everything; one table for each question, and one for the aims."""
    with tempfile.TemporaryDirectory() as folder:
        async with placed(Path(folder)) as place, peers(place.session, place.upstream) as others:
            fresh = place.router.memory_info().rss / 1e6
            found = await latency(place)
            found_aims = added(found)
            beside = await latency_of_peers(place, others)
            found_aims += await throughput(place, others, beside)
            found_aims += await streams(place)
            found_aims += await coalesced(place)
            found_aims += [in_process()]
            found_aims += await router_memory.grown(place, fresh)
    found_aims += [await balanced()]
    show("router_aims", f"The aims of the router ({_busy()})", aims.rows(found_aims))


def _busy() -> str:
    """Say how much else the machine had to do: by the clock, figures are no better than that."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"load of {os.cpu_count()} cores over 1, 5 and 15 minutes: {load}"


async def latency(place: Place) -> dict[str, Rounds]:
    """One request at a time, on our own ways."""
    ways = own(place)
    return await _told("router_latency", "One at a time", ways, place, (ROUNDS, CALLS))


async def latency_of_peers(place: Place, others: list[Way]) -> dict[str, Rounds]:
    """One request at a time, on ours and on the others' ways."""
    ways, title = [*own(place)[:3], *others], "One at a time, beside others"
    return await _told("router_peers", title, ways, place, (PEER_ROUNDS, PEER_CALLS))


async def _told(
    name: str, title: str, ways: list[Way], place: Place, size: tuple[int, int]
) -> dict[str, Rounds]:
    for way in ways:
        await way.go(WARM)
    pids = [place.bus_pid, os.getpid()]
    found = await alternate(ways, size[0], lambda _: size[1], 1, pids)
    rows = []
    for way in ways:
        seen, more = found[way.name], differences(found[way.name], found[FLOOR])
        rows.append({"path": way.name, "p50_ms": 1e3 * middle(seen.medians),
                     "p99_ms": 1e3 * quantile(seen.times, 0.99), "added_ms": 1e3 * middle(more),
                     "spread": spread(more), "cpu_us": _known(seen.cpu_us(way.pid)),
                     "nats_us": _known(seen.cpu_us(place.bus_pid)),
                     "asker_us": _known(seen.cpu_us(os.getpid()))})  # fmt: skip
    show(name, f"{title} ({CPU})", rows)
    return found


def added(found: dict[str, Rounds]) -> list[Aim]:
    """Return what a miss adds and what a hit takes."""
    told = []
    for name in OURS:
        more = differences(found[name], found[FLOOR])
        what = f"added p50, {name}"
        told.append(Aim(what, 1e3 * middle(more), 1.0, "ms", spread=spread(more)))
    for name, limit in zip(HITS, (0.6, 1.0), strict=True):
        medians = found[name].medians
        told.append(Aim(f"p50, {name}", 1e3 * middle(medians), limit, "ms", spread=spread(medians)))
    return told


async def throughput(place: Place, others: list[Way], beside: dict[str, Rounds]) -> list[Aim]:
    """Sixteen in flight: by the clock, the process between on a core of its own, and by its CPU."""
    ways = [_pinned(way, place) for way in [*own(place)[:3], *others]]
    pids = [place.bus_pid, os.getpid()]
    found = await alternate(ways, MANY_ROUNDS, _enough(beside), WIDTH, pids)
    rows = [_rates(way, found[way.name], place) for way in ways]
    title = "16 in flight; the process between has a core of its own, all else shares the others"
    show("router_throughput", title, rows)
    return _rate_aims(found, {row["path"]: row["req_cpu_s"] for row in rows})


def _enough(beside: dict[str, Rounds]) -> Callable[[Way], int]:
    """Return how many calls make a round of about `ROUND_S`, by what one alone has taken."""
    return lambda way: max(2 * WIDTH, int(ROUND_S / middle(beside[way.name].medians)))


def _pinned(way: Way, place: Place) -> Way:
    async def burst(count: int, width: int) -> list[float]:
        with own_core(way.pid, [place.bus_pid, place.upstream_pid, place.router.pid]):
            return await way.go(count, width)

    return Way(way.name, None, way.pid, burst)


def _rates(way: Way, seen: Rounds, place: Place) -> dict[str, Any]:
    each, cpu = seen.rates(), seen.cpu_us(way.pid)
    memory = psutil.Process(way.pid).memory_info().rss / 1e6 if way.pid else ""
    return {"path": way.name, "req_s": middle(each), "spread": spread(each, 1.0),
            "cpu_us": _known(cpu), "req_cpu_s": 1e6 / cpu if cpu else "",
            "nats_us": _known(seen.cpu_us(place.bus_pid)),
            "asker_us": _known(seen.cpu_us(os.getpid())), "rss_mb": memory}  # fmt: skip


def _rate_aims(found: dict[str, Rounds], of_cpu: dict[str, Any]) -> list[Aim]:
    """By the clock a ratio is that of the same round; the CPU is counted over all of them."""
    told = []
    for name in OURS:
        each = found[name].rates()
        told.append(Aim(f"requests a second, {name}", middle(each), *FAST, spread(each, 1.0)))
        told.append(Aim(f"requests a second of CPU, {name}", of_cpu[name], *FAST))
        for proxy in PROXIES:
            known = proxy in found
            ratios = _ratios(each, found[proxy].rates()) if known else []
            around, middling = (spread(ratios, 1.0), middle(ratios)) if known else ("", None)
            told.append(Aim(f"  as often as {proxy}", middling, *TIMES, around))
            by_cpu = of_cpu[name] / of_cpu[proxy] if known else None
            told.append(Aim(f"  as often as {proxy}, by CPU", by_cpu, *TIMES))
    return told


def _ratios(ones: list[float], others: list[float]) -> list[float]:
    return [one / other for one, other in zip(ones, others, strict=True)]


async def streams(place: Place) -> list[Aim]:
    """The first chunk, and 64 of them."""
    told: list[Aim] = []
    for what, ways, limit in (("first", firsts(place), 1.0), ("whole", wholes(place), 3.0)):
        title = f"A stream of 64 chunks: {what}"
        size = (STREAM_ROUNDS, STREAM_CALLS)
        found = await _told(f"router_streams_{what}", title, ways, place, size)
        for name in OURS:
            more = differences(found[name], found[FLOOR])
            line = f"stream of 64 chunks, {what}, added, {name}"
            told.append(Aim(line, 1e3 * middle(more), limit, "ms", spread=spread(more)))
    return told


async def coalesced(place: Place) -> list[Aim]:
    """A hundred who ask the same at once, over the bus and at the door."""
    told = []
    for name, one in (("bus", _same_on_bus(place)), ("door", _same_at_door(place))):
        before = await place.chats()
        await asyncio.gather(*(one() for _ in range(100)))
        count = await place.chats() - before
        told.append(Aim(f"calls upstream of 100 identical, router, {name}", count, 1))
    return told


def _same_on_bus(place: Place) -> Callable[[], Any]:
    body = asked(options={"temperature": 0, "seed": time.time_ns() % 2**31})
    return lambda: place.bus(body)


def _same_at_door(place: Place) -> Callable[[], Any]:
    body = asked(temperature=0, seed=time.time_ns() % 2**31)
    return lambda: place.post(body)


def in_process() -> Aim:
    """A hit without any transport: the key and the look-up."""
    settings, count = RouterSettings(), 500
    request = ChatRequest.model_validate(
        {"messages": SAID, "model": "m-1", "options": ChatOptions(temperature=0)}
    )
    event = CacheEvent(kind="miss", key="")
    cache = Cache(1000, 3600.0, lambda _: None)
    cache.put(key(request, "ollama", "d", settings), Answer("word", "m-1"), event)
    taken = []
    for _ in range(40):
        begin = time.process_time()
        for _ in range(count):
            cache.get(key(request, "ollama", "d", settings), event)
        taken.append((time.process_time() - begin) / count)
    around = spread(taken, 1e6)
    return Aim(
        "cache hit in the process, key and look-up", 1e6 * middle(taken), 10, "us", False, around
    )


async def balanced() -> Aim:
    ratios = await router_balance.ours_of_ideal()
    what = "makespan with one host 10 times slower, of the ideal"
    return Aim(what, middle(ratios), router_balance.AIM, "times", False, spread(ratios, 1.0))


def _known(value: float | None) -> float | str:
    return "" if value is None else value
