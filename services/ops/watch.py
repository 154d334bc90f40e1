"""Who watches ops: this supervisor, as long as its own loop is on time."""

from __future__ import annotations

import asyncio
import time

from services.ops.children import Child
from services.ops.hearing import Hearing
from services.ops.record import Record

SILENCE_S = 10.0
TICK_S = 1.0
LATE_S = 0.5


async def watch_ops(ops: Child | None, hearing: Hearing, record: Record) -> None:
    """Kill an ops that is alive and silent for 10 s while other beats are heard in time."""
    trusted_from = time.monotonic()
    while ops is not None:
        before = time.monotonic()
        await asyncio.sleep(TICK_S)
        present = time.monotonic()
        if present - before > TICK_S + LATE_S or present - hearing.last_at > 2 * TICK_S:
            trusted_from = present
        if is_hung(ops, present, trusted_from):
            silent_s = present - ops.heard_at
            record.tell(
                "symptom", "ops", instance=ops.instance, symptom="hang", remedy="kill",
                cause=f"ops is silent for {silent_s:.1f} s",
                evidence={"silent_s": round(silent_s, 3), "pid": ops.pid},
            )  # fmt: skip
            ops.restart("supervisor: ops is hung", 0.0)


def is_hung(ops: Child, present: float, trusted_from: float) -> bool:
    """Tell whether ops is silent, though the watcher itself has been well for as long."""
    well_s = present - max(trusted_from, ops.heard_at)
    return ops.state == "ready" and ops.pid is not None and well_s > SILENCE_S
