"""Ours beside the floor and nothing else, in half a minute: to compare two states of the code.

`python -m benchmarks router_quick`. Rounds are interleaved; `added` is the median over the rounds
of what a round added to the same round of the floor, and `spread` the quartiles of that.
The columns of CPU are microseconds a call: the router's, nats-server's, and this process's own.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measuring import Rounds, Way, alternate, differences, middle, spread
from benchmarks.router_place import FLOOR, Place, own, placed
from benchmarks.router_streams import firsts
from benchmarks.table import quantile, show

ROUNDS = 16
CALLS = 60
WIDTH = 16


async def run() -> None:
    """Print three tables."""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        async with placed(Path(folder)) as place:
            ways = own(place)
            await alternate(ways, 2, lambda _: 200, WIDTH, [])
            await _print("router_quick", "One at a time", ways, place)
            await _print("router_quick_16", "16 in flight", ways[:3], place, 5, 800)
            await _print("router_quick_first", "First of 64 chunks", firsts(place), place, 10)
    print(f"\n{time.perf_counter() - begun:.0f} s in all")


async def _print(
    name: str, title: str, ways: list[Way], place: Place, rounds: int = ROUNDS, calls: int = CALLS
) -> None:
    width = WIDTH if calls > CALLS else 1
    pids = [place.router.pid, place.bus_pid, os.getpid()]
    found = await alternate(ways, rounds, lambda _: calls, width, pids)
    show(name, title, [row(way, found, pids, width) for way in ways])


def row(way: Way, found: dict[str, Rounds], pids: list[int], width: int) -> dict[str, Any]:
    """Return the figures of one way; times only where nothing waits for another call."""
    seen, floor = found[way.name], found[FLOOR]
    told: dict[str, Any] = {"path": way.name}
    if width > 1:
        each = seen.rates()
        told |= {"req_s": middle(each), "spread": spread(each, 1.0)}
    else:
        added = differences(seen, floor)
        told |= {"p50_ms": 1e3 * middle(seen.medians), "p99_ms": 1e3 * quantile(seen.times, 0.99),
                 "added_ms": 1e3 * middle(added), "spread": spread(added)}  # fmt: skip
    names = ("cpu_router_us", "cpu_nats_us", "cpu_client_us")
    return told | {name: seen.cpu_us(pid) for name, pid in zip(names, pids, strict=True)}
