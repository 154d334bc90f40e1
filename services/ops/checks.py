"""Periodic checks: each says what it saw, what to do about it, and mends what it safely can."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from nats.errors import Error as NatsError

from services.ops import audit
from services.ops.certificates import ends_at
from services.ops.storage import SHARE_BYTES
from shared import backups
from shared.bus import Bus
from shared.clock import now
from shared.errors import SovereignError
from shared.events.models import EngineStatus
from shared.events.ops import OpsCheck
from shared.events.reports import Empty, OptimizationReport
from shared.settings import Settings
from shared.streams import DEAD

LEAST_DISK = 1024**3
LEAST_DISK_SHARE = 0.05
LEAST_MEMORY_SHARE = 0.05
CERTIFICATE_DAYS = 14
ANSWER_S = 2.0
CACHE_LOOKS = 100
"""Looks into the cache from which it is worth judging."""

CACHE_POOR = 0.02

Fix = Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class Fixes:
    """What a check may do by itself; each returns a line on what came of it."""

    declare: Fix
    backup: Fix


class Checks:
    """All checks of one ops; remembers what a later look is compared with."""

    def __init__(self, bus: Bus, settings: Settings, fixes: Fixes) -> None:
        self._bus = bus
        self._settings = settings
        self._fixes = fixes
        self._audit = audit.Audit()
        self._looked = False

    async def run(self) -> tuple[OpsCheck, ...]:
        """Run every check once; one that fails says so and stops no other."""
        work = (
            ("disk", self._disk),
            ("memory", self._memory),
            ("streams", self._streams),
            ("consumers", self._consumers),
            ("dead_letters", self._dead_letters),
            ("model", self._model),
            ("cache", self._cache),
            ("certificates", self._certificates),
            ("backup", self._backup),
        )
        return tuple([await _guarded(name, check) for name, check in work])

    async def _disk(self) -> OpsCheck:
        """Look for 1 GiB and 5 % of free disk; else drop old logs and all backups but the last."""
        found = await asyncio.to_thread(disk, self._settings.data_dir)
        if found.state == "ok":
            return found
        freed = await asyncio.to_thread(make_room, self._settings.data_dir)
        after = await asyncio.to_thread(disk, self._settings.data_dir)
        return after.model_copy(update={"fixed": freed})

    async def _memory(self) -> OpsCheck:
        return memory()

    async def _streams(self) -> OpsCheck:
        """Audit every stream; have those that are gone declared anew, and say what was lost."""
        seen = await audit.look(self._bus)
        check = self._audit.streams(seen)
        if seen.missing:
            check = check.model_copy(update={"fixed": await self._fixes.declare()})
        return check

    async def _consumers(self) -> OpsCheck:
        check, missing = audit.consumers(await audit.look_at_consumers(self._bus))
        return check.model_copy(update={"fixed": await self._fixes.declare()}) if missing else check

    async def _dead_letters(self) -> OpsCheck:
        count = (await self._bus.js.stream_info(DEAD.name)).state.messages
        seen = {"letters": count}
        if not count:
            return OpsCheck(name="dead_letters", seen=seen)
        advice = f"{count} dead letters: `sovereign events 'dead.>'`, stream {DEAD.name}"
        return OpsCheck(name="dead_letters", state="warn", seen=seen, advice=advice)

    async def _model(self) -> OpsCheck:
        try:
            engine = await self._bus.request("model.status", Empty(), EngineStatus, ANSWER_S)
        except SovereignError as error:  # the router itself is watched by its beats
            return OpsCheck(name="model", state="warn", advice=error.message)
        return model(engine)

    async def _cache(self) -> OpsCheck:
        try:
            report = await self._bus.request("model.report", Empty(), OptimizationReport, ANSWER_S)
        except SovereignError as error:
            return OpsCheck(name="cache", state="warn", advice=error.message)
        return cache(report)

    async def _certificates(self) -> OpsCheck:
        return await asyncio.to_thread(certificates, self._settings.ops.certificates)

    async def _backup(self) -> OpsCheck:
        """Look at the newest backup's age; make one when it is too old."""
        limits = self._settings.ops
        if not limits.backup_s:
            return OpsCheck(name="backup", seen={"every_s": 0})
        folder = self._settings.data_dir / backups.FOLDER
        made = await asyncio.to_thread(backups.listed, folder)
        age_s = backups.age_s(made[-1], now()) if made else None
        seen = {"kept": len(made), "age_s": age_s, "every_s": limits.backup_s}
        first, self._looked = not self._looked, True
        fresh = age_s is not None and age_s <= limits.backup_s
        if fresh or (first and age_s is None):  # of a system that just began there is nothing yet
            return OpsCheck(name="backup", seen=seen)
        return OpsCheck(name="backup", seen=seen, fixed=await self._fixes.backup())


async def _guarded(name: str, check: Callable[[], Awaitable[OpsCheck]]) -> OpsCheck:
    try:
        return await check()
    except (SovereignError, NatsError, OSError, TimeoutError) as error:
        return OpsCheck(name=name, state="fail", advice=f"{error or type(error).__name__}"[:500])


def disk(folder: Path) -> OpsCheck:
    """Check that the data folder has room: 1 GiB, and 5 % of its disk up to 5 GiB."""
    usage = shutil.disk_usage(folder)
    seen = {"free_bytes": usage.free, "total_bytes": usage.total}
    least = max(LEAST_DISK, min(int(usage.total * LEAST_DISK_SHARE), SHARE_BYTES))
    if usage.free >= least:
        return OpsCheck(name="disk", seen=seen)
    advice = f"less than {least // 1024**2} MB are free in {folder}"
    return OpsCheck(name="disk", state="fail", seen=seen, advice=advice)


def make_room(folder: Path) -> str:
    """Remove logs that were put aside, and all backups but the newest; say what went."""
    old = [*(folder / "logs").glob("*.log.1")]
    freed = sum(path.stat().st_size for path in old)
    for path in old:
        path.unlink(missing_ok=True)
    spare = backups.listed(folder / backups.FOLDER)[:-1]
    freed += sum(path.stat().st_size for path in spare)
    backups.prune(folder / backups.FOLDER, 1)
    count = len(old) + len(spare)
    return f"{count} old files removed, {freed // 1024**2} MB" if count else ""


def memory() -> OpsCheck:
    """Check that the host has memory left."""
    found = psutil.virtual_memory()
    seen = {"available_bytes": found.available, "total_bytes": found.total}
    if found.available >= found.total * LEAST_MEMORY_SHARE:
        return OpsCheck(name="memory", seen=seen)
    advice = "less than 5 % of the memory is left"
    return OpsCheck(name="memory", state="warn", seen=seen, advice=advice)


def model(engine: EngineStatus) -> OpsCheck:
    """Check that what should answer the agents does; rules instead of a model are told."""
    seen = {"engine": engine.engine, "state": engine.state, "model": engine.model}
    if engine.setting == "offline" or (engine.is_llm and engine.state == "ready"):
        return OpsCheck(name="model", seen=seen)
    if engine.state == "model_missing":
        advice = f"Ollama lacks {engine.model}: `sovereign model pull {engine.model}`"
        return OpsCheck(name="model", state="warn", seen=seen, advice=advice)
    advice = f"no language model at {engine.url or 'any address'}: steps that need one wait"
    return OpsCheck(name="model", state="warn", seen=seen, advice=advice)


def cache(report: OptimizationReport) -> OpsCheck:
    """Check that the cache is of use where there is enough to judge."""
    said = report.cache.model_dump(mode="json")
    seen = {name: value for name, value in said.items() if isinstance(value, int | float)}
    looks = int(seen.get("hits", 0)) + int(seen.get("misses", 0))
    reuse = report.parts.get("reuse")
    if looks < CACHE_LOOKS or reuse is None or reuse >= CACHE_POOR:
        return OpsCheck(name="cache", seen=seen)
    advice = f"of {looks} looks into the cache {100 * reuse:.0f} % found an answer"
    return OpsCheck(name="cache", state="warn", seen=seen, advice=advice)


def certificates(files: tuple[Path, ...]) -> OpsCheck:
    """Check that no certificate ends within two weeks."""
    present, seen, advice = now(), {}, []
    for file in files:
        left = (ends_at(file) - present).total_seconds() / 86_400
        seen[file.name] = round(left, 2)
        if left < CERTIFICATE_DAYS:
            advice.append(f"{file} " + (f"ends in {left:.0f} days" if left > 0 else "has ended"))
    state = "fail" if any(left <= 0 for left in seen.values()) else "warn" if advice else "ok"
    return OpsCheck(
        name="certificates", state=state, seen={"days_left": seen}, advice="; ".join(advice)
    )
