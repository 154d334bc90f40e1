"""Periodic checks: disk, memory, the streams that ops may see; each with what to do about it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from nats.errors import Error as NatsError

from shared.bus import Bus
from shared.streams import ADVISORIES, DEAD, OPS, STEPS, TASKS

LEAST_DISK = 1024**3
LEAST_DISK_SHARE = 0.05
LEAST_MEMORY_SHARE = 0.05
QUEUE_WARN = 10_000
WATCHED = (TASKS, STEPS, OPS, DEAD, ADVISORIES)


@dataclass(frozen=True)
class Check:
    """One result; `advice` is empty when all is well."""

    name: str
    seen: dict[str, Any]
    advice: str = ""


def disk(folder: Path) -> Check:
    """Check that the data folder has room: 1 GiB and 5 % of its disk."""
    usage = shutil.disk_usage(folder)
    seen = {"free_bytes": usage.free, "total_bytes": usage.total}
    least = max(LEAST_DISK, int(usage.total * LEAST_DISK_SHARE))
    short = usage.free < least
    return Check("disk", seen, f"free space below {least} bytes in {folder}" if short else "")


def memory() -> Check:
    """Check that the host has memory left."""
    found = psutil.virtual_memory()
    seen = {"available_bytes": found.available, "total_bytes": found.total}
    short = found.available < found.total * LEAST_MEMORY_SHARE
    return Check("memory", seen, "less than 5 % of the memory is left" if short else "")


async def streams(bus: Bus) -> Check:
    """Check that the streams answer, that queues are not endless, that nothing lies dead."""
    seen: dict[str, Any] = {}
    advice: list[str] = []
    for stream in WATCHED:
        try:
            count = (await bus.js.stream_info(stream.name)).state.messages
        except (NatsError, TimeoutError) as error:
            advice.append(f"stream {stream.name} does not answer ({type(error).__name__})")
            continue
        seen[stream.name] = count
        if stream.queue and count > QUEUE_WARN:
            advice.append(f"{count} messages wait in {stream.name}: add workers")
    if seen.get(DEAD.name):
        advice.append(f"{seen[DEAD.name]} dead letters: see stream {DEAD.name}")
    return Check("streams", seen, "; ".join(advice))


async def run_all(bus: Bus, folder: Path) -> list[Check]:
    """Run every check once."""
    return [disk(folder), memory(), await streams(bus)]
