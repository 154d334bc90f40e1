"""The whole system: time to ready, idle memory and CPU, import cost, submit to first step."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nats
import psutil
from nats.js.api import RetentionPolicy, StreamConfig

from benchmarks.table import quantile, show
from tests.e2e.system import ROOT, SERVICES, System

SHORT = "CI" in os.environ
IDLE_S = 5.0 if SHORT else 30.0
TASKS = 10 if SHORT else 60
NOTES = "# Notes\n\n## Pending\n- Renew the certificate\n- Restore test of the backup\n"
TASK = {
    "title": "What is still pending?",
    "agent": "analyzer",
    "attachments": [{"name": "notes.md", "text": NOTES}],
}


async def run() -> None:
    """Start a system in a temporary folder, measure it, stop it."""
    imports()
    with tempfile.TemporaryDirectory() as folder:
        system = System(Path(folder))
        try:
            await system.start()
            await idle(system)
            await dispatch(system)
            begin = time.monotonic()
            await system.stop()
            stop_s = time.monotonic() - begin
        finally:
            await system.kill_all()
    rows = [
        {"what": "`sovereign up` to ready (aim <= 15 s)", "seconds": round(system.ready_s, 2)},
        {"what": "Ctrl-C to nothing left", "seconds": round(stop_s, 2)},
    ]
    show("ready", "Start and stop", rows)


def imports() -> None:
    """Measure the CPU seconds that a fresh interpreter needs to import each service."""
    rows = []
    for name in ("", *SERVICES):
        code = f"import services.{name}.app" if name else "pass"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        rows.append({"service": name or "(bare python)", "import_cpu_s": round(cpu, 2)})
    show("imports", "Import cost (aim <= 3 s of CPU each)", rows)


async def idle(system: System) -> None:
    """Measure resident memory and CPU of every process while nobody asks for anything."""
    await asyncio.sleep(5.0)
    processes = system.processes()
    before = {process.pid: _cpu(process) for process in processes}
    await asyncio.sleep(IDLE_S)
    rows: list[dict[str, Any]] = []
    for process in processes:
        share = 100 * (_cpu(process) - before[process.pid]) / IDLE_S
        memory = process.memory_info().rss / 1e6
        rows.append({"process": _name(process), "rss_mb": round(memory, 1),
                     "cpu_percent": round(share, 2)})  # fmt: skip
    rows.sort(key=lambda row: str(row["process"]))
    total = {"process": "TOTAL (aim <= 700 MB, <= 5 % of one core)"}
    rows.append(total | {k: round(sum(r[k] for r in rows), 1) for k in ("rss_mb", "cpu_percent")})
    show("idle", f"Idle system over {IDLE_S:g} s", rows)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _name(process: psutil.Process) -> str:
    line = process.cmdline()
    module = next((part for part in line if part.startswith("services.")), "")
    return module or Path(line[0]).name


async def dispatch(system: System) -> None:
    """Measure from the publish of a task to the journal's first `step_started`, and to the end."""
    client = await nats.connect(system.nats_url)
    journal = await client.subscribe("task.journal.*")
    started: list[float] = []
    finished: list[float] = []
    for number in range(TASKS):
        body = TASK | {"task_id": f"bench-{number}"}
        begin = time.perf_counter()
        await client.publish("task.request.high", json.dumps(body).encode())
        started.append(await _until(journal, "step_started", begin))
        finished.append(await _until(journal, "task_finished", begin))
    await client.close()
    floor = await plain_nats(system)
    pairs = (
        ("FLOOR: a plain nats-py worker has it", floor),
        ("first step started", started),
        ("task finished", finished),
    )
    rows = [_row(what, values) for what, values in pairs]
    for row in rows:
        row["x floor"] = round(row["p50_ms"] / rows[0]["p50_ms"], 1)
    show("dispatch", "One task at a time, offline engine, sync_interval always", rows)


async def plain_nats(system: System) -> list[float]:
    """Measure publish with ack to fetched by a waiting worker, on a stream of the same settings."""
    key = str(Path(system.environment["SOVEREIGN_DATA_DIR"]) / "keys" / "owner.nk")
    client = await nats.connect(system.nats_url, nkeys_seed=key)
    stream = client.jetstream()
    config = StreamConfig(name="BENCH", subjects=["bench.*"], retention=RetentionPolicy.WORK_QUEUE)
    await stream.add_stream(config)
    pull = await stream.pull_subscribe("bench.a", durable="bench")
    taken: list[float] = []
    for _ in range(TASKS):
        waiting = asyncio.create_task(pull.fetch(1, timeout=5))
        await asyncio.sleep(0.01)
        begin = time.perf_counter()
        await stream.publish("bench.a", json.dumps(TASK).encode())
        message = (await waiting)[0]
        taken.append(time.perf_counter() - begin)
        await message.ack()
    await stream.delete_stream("BENCH")
    await client.close()
    return taken


def _row(what: str, values: list[float]) -> dict[str, Any]:
    p50_ms, p95_ms = (1000 * quantile(values, share) for share in (0.5, 0.95))
    return {"from submit to": what, "p50_ms": p50_ms, "p95_ms": p95_ms, "runs": len(values)}


async def _until(journal: Any, kind: str, begin: float) -> float:
    while True:
        message = await journal.next_msg(30)
        if json.loads(message.data).get("kind") == kind:
            return time.perf_counter() - begin
