"""kill -9 until a new process runs: this supervisor, supervisord, circus, s6, runit, the same way.

Peers come from the virtual environment that SOVEREIGN_BENCH_PEERS names, and from the PATH.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from benchmarks.table import show
from services.ops.children import Child, Spec
from services.ops.record import Record
from shared.settings import OpsSettings

KILLS = 3 if "CI" in os.environ else 10
LIVES_S = 1.5
"""How long the victim runs before each kill: s6 and runit start nothing twice in a second."""

MOST_S = 30.0
VICTIM = "import os,sys,time; open(sys.argv[1],'w').write(str(os.getpid())); time.sleep(3600)"
Start = Callable[[Path], Any]


async def run() -> None:
    """Print a row for each that is installed, one line for each that is not."""
    rows = []
    for name, begin in (("sovereign", ours), *peers()):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(await measure(name, begin, Path(folder)))
    show("ops_restart", f"kill -9 until a new process runs, {KILLS} kills", rows)


async def measure(name: str, begin: Start, folder: Path) -> dict[str, Any]:
    """Kill the victim again and again; time until another pid is written."""
    file, took = folder / "pid", []
    async with begin(folder):
        for _ in range(KILLS):
            pid = await _pid(file, 0)
            await asyncio.sleep(LIVES_S)
            began = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            await _pid(file, pid)
            took.append(1000 * (time.monotonic() - began))
    return {"supervisor": name, "p50_ms": statistics.median(took), "worst_ms": max(took)}


async def _pid(file: Path, before: int) -> int:
    end = time.monotonic() + MOST_S
    while time.monotonic() < end:
        text = _read(file)
        if text and int(text) != before:
            return int(text)
        await asyncio.sleep(0.001)
    raise TimeoutError(f"{file}: no new process in {MOST_S:g} s")


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


@asynccontextmanager
async def ours(folder: Path) -> AsyncIterator[None]:
    """Keep the victim with this supervisor's own `Child`; every kill is the first in its window."""
    limits = OpsSettings(window_s=1.0)
    spec = Spec("match", _victim(folder), os.environ, folder / "log")
    child = Child(spec, limits, Record("here", "bench"), lambda: None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(child.run)
        yield
        child.close(0.0)


def peers() -> list[tuple[str, Start]]:
    """Return those that are installed here; name the others on one line."""
    venv = Path(os.environ.get("SOVEREIGN_BENCH_PEERS", "")) / "bin"
    found = {
        "supervisord": (shutil.which("supervisord", path=str(venv)), _supervisord),
        "circus": (shutil.which("circusd", path=str(venv)), _circus),
        "s6": (shutil.which("s6-supervise"), _service_folder),
        "runit": (shutil.which("runsv"), _service_folder),
    }
    absent = [name for name, (program, _) in found.items() if program is None]
    if absent:
        print(f"not installed here: {', '.join(absent)} (SOVEREIGN_BENCH_PEERS, apt)")
    return [(name, _external(program, make)) for name, (program, make) in found.items() if program]


def _external(program: str, make: Callable[[str, Path], list[str]]) -> Start:
    @asynccontextmanager
    async def begin(folder: Path) -> AsyncIterator[None]:
        command = make(program, folder)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = await asyncio.to_thread(
            subprocess.Popen, command, cwd=folder, start_new_session=True, **quiet
        )
        try:
            yield
        finally:
            process.terminate()
            await asyncio.to_thread(_end, process, folder / "pid")

    return begin


def _end(process: subprocess.Popen[bytes], file: Path) -> None:
    """Wait for the peer, and kill it and its victim if they stay."""
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    try:
        os.kill(int(file.read_text()), signal.SIGKILL)
    except (OSError, ValueError):
        return


def _victim(folder: Path) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", VICTIM, str(folder / "pid"))


def _script(folder: Path) -> Path:
    """Return an executable that becomes the victim."""
    words = " ".join(f"'{word}'" if " " not in word else f'"{word}"' for word in _victim(folder))
    path = folder / "victim"
    path.write_text(f"#!/bin/sh\nexec {words}\n")
    path.chmod(0o755)
    return path


def _supervisord(program: str, folder: Path) -> list[str]:
    config = folder / "supervisord.conf"
    config.write_text(
        f"[supervisord]\nnodaemon=true\npidfile={folder}/s.pid\nlogfile=/dev/null\n"
        f"logfile_maxbytes=0\n[program:victim]\ncommand={_script(folder)}\nautorestart=true\n"
        "startsecs=1\n"
    )
    return [program, "-c", str(config)]


def _circus(program: str, folder: Path) -> list[str]:
    config = folder / "circus.ini"
    config.write_text(
        f"[circus]\nendpoint=ipc://{folder}/e\npubsub_endpoint=ipc://{folder}/p\n"
        f"[watcher:victim]\ncmd={_script(folder)}\n"
    )
    return [program, str(config)]


def _service_folder(program: str, folder: Path) -> list[str]:
    (folder / "service").mkdir()
    _script(folder).rename(folder / "service" / "run")
    return [program, str(folder / "service")]
