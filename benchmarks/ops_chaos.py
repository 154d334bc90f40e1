"""Long faults against real processes: blocked loops, an outage of the bus, a leader that dies."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import anyio

from benchmarks.table import show
from shared.bus import open_bus
from shared.events import OpsEvent, OpsStatus
from shared.events.health import Beat
from shared.events.reports import Empty
from shared.reading import read_subject
from shared.settings import NatsSettings, Settings
from shared.signing import public_key
from tests.conftest import NatsServer
from tests.ops.conftest import Running

SHORT = "CI" in os.environ
BLOCKED_RUN_S = 30.0 if SHORT else 600.0
OUTAGE_S = 10.0 if SHORT else 150.0
FAILOVERS = 1 if SHORT else 5
SEED = 5
SERVICES = ("router", "match", "sessions")


async def run() -> None:
    """Run the three, at the same time, and print one table."""
    rows: list[dict[str, Any]] = []
    async with anyio.create_task_group() as tasks:
        for work in (blocked_loops, outage, failover):
            tasks.start_soon(_into, rows, work)
    show("ops_chaos", f"Faults, seed {SEED}", sorted(rows, key=lambda row: str(row["fault"])))


async def _into(rows: list[dict[str, Any]], work: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows.append(await work(Path(folder)))


async def blocked_loops(folder: Path) -> dict[str, Any]:
    """Block a loop for 2.5 s every 20 s or so; whoever is called hung then is called so wrongly."""
    chance, host = random.Random(SEED), Running(folder)
    await asyncio.to_thread(_start, host, "match", "sessions", "ops")
    try:
        async with host.bus() as bus:
            end, blocked = time.monotonic() + BLOCKED_RUN_S, 0
            while time.monotonic() < end:
                await asyncio.sleep(chance.uniform(12.0, 28.0))
                await bus.nc.publish("match.nap", b'{"limit": 25}')
                blocked += 1
            hangs = [e for e in await entries(bus, "symptom") if e.symptom == "hang"]
            slow = [e for e in await entries(bus, "symptom") if e.symptom == "slow_loop"]
    finally:
        await asyncio.to_thread(host.destroy)
    figure = f"{len(hangs)} taken for hangs, {len(slow)} for slow loops"
    fault = f"loop blocked 2.5 s, {blocked} times in {BLOCKED_RUN_S:g} s"
    return {"fault": fault, "figure": figure, "aim": "0 hangs"}


async def outage(folder: Path) -> dict[str, Any]:
    """Take the bus away; measure until every service is heard again, and who was restarted."""
    (folder / "nats").mkdir()
    server = NatsServer(folder / "nats")
    await asyncio.to_thread(server.start)
    host = Running(folder, SOVEREIGN_NATS__URL=server.url)
    await asyncio.to_thread(_start, host, *SERVICES, "ops")
    try:
        before = {process.pid for process in host.processes()}
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(OUTAGE_S)
        await asyncio.to_thread(server.start)
        began = time.monotonic()
        settings = Settings(data_dir=folder / "none", nats=NatsSettings(url=server.url))
        async with open_bus(settings, "bench") as bus:
            await heard(bus, {*SERVICES, "ops", "supervisor"})
        took = time.monotonic() - began
        same = len(before & {process.pid for process in host.processes()})
    finally:
        await asyncio.to_thread(host.destroy)
        await asyncio.to_thread(server.kill)
    figure = f"all heard {took:.1f} s after; {same} of {len(SERVICES) + 2} processes the same"
    return {"fault": f"bus away for {OUTAGE_S:g} s", "figure": figure, "aim": "<= 10 s"}


async def failover(folder: Path) -> dict[str, Any]:
    """Kill the leading ops; measure until the other one leads."""
    for name in ("one", "two"):
        (folder / name).mkdir()
    first = Running(folder / "one")
    await asyncio.to_thread(_start, first, "ops")
    trusted = folder / "two" / "data" / "keys" / "trusted"
    trusted.mkdir(parents=True)
    keys = first.settings.data_dir / "keys"
    (trusted / "one.pub").write_text(public_key(keys / "ops.nk") + "\n")
    second = Running(
        folder / "two", SOVEREIGN_NATS__URL=f"nats://127.0.0.1:{first.settings.nats.port}",
        SOVEREIGN_NATS__NKEY_FILE=str(keys / "owner.nk"),
    )  # fmt: skip
    await asyncio.to_thread(_start, second, "ops", "--host", "there")
    try:
        async with first.bus() as bus:
            took = [await _fail_over(bus) for _ in range(FAILOVERS)]
    finally:
        await asyncio.to_thread(second.destroy)
        await asyncio.to_thread(first.destroy)
    figure = f"p50 {statistics.median(took):.2f} s, worst {max(took):.2f} s of {len(took)}"
    return {"fault": "kill -9 of the leading ops", "figure": figure, "aim": "<= 4 s"}


async def _fail_over(bus: Any) -> float:
    """Kill the leader once both are there; return the seconds until another one says it leads."""
    while True:
        status = await _status(bus)
        ops = {one.host: one for one in status.instances if one.service == "ops"}
        leader = status.leader.split("/")[0]
        if len(ops) == 2 and leader in ops and all(o.state == "ready" for o in ops.values()):
            break
        await asyncio.sleep(0.1)
    leads = asyncio.Event()

    async def take(message: Any) -> None:
        event = OpsEvent.model_validate_json(message.data)
        if event.outcome == "leads":
            leads.set()

    ear = await bus.nc.subscribe("ops.event.leader", cb=take)
    await bus.nc.flush()
    pid = await _pid(bus, leader)
    began = time.monotonic()
    os.kill(pid, 9)
    await asyncio.wait_for(leads.wait(), 60)
    took = time.monotonic() - began
    await ear.unsubscribe()
    return took


async def _status(bus: Any) -> OpsStatus:
    while True:
        try:
            return await bus.request("ops.status", Empty(), OpsStatus, 2.0)
        except Exception:
            await asyncio.sleep(0.2)


async def _pid(bus: Any, host: str) -> int:
    """Return the pid in the next beat of the ops of a host."""
    beats = await bus.nc.subscribe("health.beat.ops.*")
    while True:
        beat = Beat.model_validate_json((await beats.next_msg(30)).data)
        if beat.host == host:
            await beats.unsubscribe()
            return beat.pid


async def heard(bus: Any, wanted: set[str]) -> None:
    """Return when a ready beat of each of these services was heard."""
    beats = await bus.nc.subscribe("health.beat.*.*")
    while wanted:
        beat = Beat.model_validate_json((await beats.next_msg(120)).data)
        wanted -= {beat.service} if beat.state == "ready" else set()
    await beats.unsubscribe()


async def entries(bus: Any, kind: str) -> list[OpsEvent]:
    """Return all entries of a kind in the record."""
    stored = await read_subject(bus, "OPS", f"ops.event.{kind}")
    return [OpsEvent.model_validate_json(one.data) for one in stored]


def _start(host: Running, *arguments: str) -> None:
    host.start(*arguments)
    host.banner()
