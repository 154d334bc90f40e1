"""Ways to an answer, bursts of calls on them, and what noise leaves of the difference."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.table import quantile

One = Callable[[], Awaitable[object]]
Burst = Callable[[int, int], Awaitable[list[float]]]
"""Make so many calls, so many of them in flight; return the seconds that each took."""
SETTLE_S = 0.08
"""What is written down after the replies have gone out belongs to the round, not to the next."""


@dataclass(frozen=True)
class Way:
    """One way to an answer; `pid` is the process between, if there is one.

    `burst` is for a way that only another process can go.
    """

    name: str
    one: One | None = None
    pid: int | None = None
    burst: Burst | None = None

    async def go(self, count: int, width: int = 1) -> list[float]:
        if self.burst is not None:
            return await self.burst(count, width)
        assert self.one is not None
        each = [count // width + (number < count % width) for number in range(width)]
        taken = await asyncio.gather(*(timed(self.one, number) for number in each))
        return [seconds for some in taken for seconds in some]


async def timed(one: One, count: int) -> list[float]:
    """Make the calls one after the other."""
    taken = []
    for _ in range(count):
        begin = time.perf_counter()
        await one()
        taken.append(time.perf_counter() - begin)
    return taken


@dataclass
class Rounds:
    """The median of each round on one way, in seconds, and the CPU of the processes meanwhile."""

    medians: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    walls: list[float] = field(default_factory=list)
    cpu: dict[int, float] = field(default_factory=dict)

    def rates(self) -> list[float]:
        """Return the calls a second of each round; all rounds are of one size."""
        return [len(self.times) / len(self.walls) / wall for wall in self.walls]

    def cpu_us(self, pid: int | None) -> float | None:
        """Return the microseconds of CPU that a call cost the process."""
        return 1e6 * self.cpu[pid] / len(self.times) if pid in self.cpu else None


async def alternate(
    ways: list[Way], rounds: int, calls: Callable[[Way], int], width: int, pids: list[int]
) -> dict[str, Rounds]:
    """Go every way in turn, round by round, so that a busy moment is busy for all."""
    found = {way.name: Rounds() for way in ways}
    for number in range(rounds):
        for way in ways[number % len(ways) :] + ways[: number % len(ways)]:
            seen = found[way.name]
            before = {pid: cpu_s(pid) for pid in {*pids, *([way.pid] if way.pid else [])}}
            begin = time.perf_counter()
            times = await way.go(calls(way), width)
            seen.walls.append(time.perf_counter() - begin)
            seen.medians.append(quantile(times, 0.5))
            seen.times += times
            await asyncio.sleep(SETTLE_S)
            for pid, cpu in before.items():
                seen.cpu[pid] = seen.cpu.get(pid, 0.0) + cpu_s(pid) - cpu
    return found


def differences(seen: Rounds, floor: Rounds) -> list[float]:
    """Return what each round added to the same round of the floor: drift falls out."""
    return [one - other for one, other in zip(seen.medians, floor.medians, strict=True)]


def middle(values: list[float]) -> float:
    return quantile(values, 0.5)


def spread(values: list[float], scale: float = 1e3) -> str:
    """Return the quartiles of the rounds, in milliseconds unless scaled otherwise."""
    low, high = (scale * quantile(values, share) for share in (0.25, 0.75))
    return f"{low:.3g} to {high:.3g}"


def cpu_s(pid: int) -> float:
    """Return the seconds of CPU of a process: exact where Linux tells them thread by thread."""
    try:
        told = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    except OSError:
        told = []
    if told:
        return sum(int(one.split()[0]) for one in told) / 1e9
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
