"""What a supervisor sees by itself, as long as its own loop is on time.

Who watches ops: a silent one is replaced. And a service that never says a first word, which
nobody else could miss, counts as crashed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from services.ops.children import Child
from services.ops.hearing import Hearing
from services.ops.record import Record

SILENCE_S = 10.0
TICK_S = 1.0
LATE_S = 0.5
MUTE_S = 60.0
"""Longest time from the start of a process to its first beat."""


async def watch(children: Mapping[str, Child], hearing: Hearing, record: Record) -> None:
    """Look once a second, until cancelled."""
    trusted_from = time.monotonic()
    while True:
        before = time.monotonic()
        await asyncio.sleep(TICK_S)
        present = time.monotonic()
        if present - before > TICK_S + LATE_S or present - hearing.last_at > 2 * TICK_S:
            trusted_from = present
        for child in children.values():
            if child.name == "ops" and is_hung(child, present, trusted_from):
                _tell_hung(child, present, record)
                child.restart("supervisor: ops is hung", 0.0)
            elif is_mute(child, present, trusted_from):
                _tell_hung(child, present, record)
                child.kill()


def is_hung(ops: Child, present: float, trusted_from: float) -> bool:
    """Tell whether ops is silent, though the watcher itself has been well for as long."""
    well_s = present - max(trusted_from, ops.heard_at)
    return ops.state == "ready" and ops.pid is not None and well_s > SILENCE_S


def is_mute(child: Child, present: float, trusted_from: float) -> bool:
    """Tell whether a service that was started long ago has not sent a single beat."""
    never = child.state == "starting" and child.heard_at == child.started_at
    return never and child.pid is not None and present - max(trusted_from, child.heard_at) > MUTE_S


def _tell_hung(child: Child, present: float, record: Record) -> None:
    silent_s = present - child.heard_at
    cause = f"{child.name} is silent for {silent_s:.1f} s"
    evidence = {"silent_s": round(silent_s, 3), "pid": child.pid, "state": child.state}
    about = {"instance": child.instance, "cause": cause, "evidence": evidence}
    record.tell("symptom", child.name, symptom="hang", remedy="kill", **about)
