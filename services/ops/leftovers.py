"""The processes of this supervisor on file, so that its successor can end any that it left."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import psutil

NAME = "supervisor.json"
DRIFT_S = 1.5


def note(folder: Path, pids: Iterable[int]) -> None:
    """Write this supervisor's pid and those of its children, with their start times."""
    found = {str(pid): started for pid in pids if (started := _started(pid)) is not None}
    path = folder / NAME
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"supervisor": os.getpid(), "children": found}), encoding="utf-8")
    fresh.replace(path)


def forget(folder: Path) -> None:
    """Remove the file after an orderly stop."""
    (folder / NAME).unlink(missing_ok=True)


def end_all(folder: Path) -> int:
    """Kill what an earlier supervisor of this folder left running; return how many.

    Only for the holder of the folder's lock. A pid counts with its start time, so that a
    number which the system gave to somebody else is left alone.
    """
    try:
        noted = json.loads((folder / NAME).read_text(encoding="utf-8"))["children"].items()
    except (OSError, ValueError, KeyError, AttributeError):
        return 0
    left = [psutil.Process(int(pid)) for pid, at in noted if _is_same(int(pid), at)]
    for process in left:
        _kill(process)
    psutil.wait_procs(left, timeout=5.0)
    return len(left)


def _started(pid: int) -> float | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None


def _is_same(pid: int, started: float) -> bool:
    """Tell whether the process lives on; start times drift when the clock is corrected."""
    present = _started(pid)
    return present is not None and abs(present - started) < DRIFT_S


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return
