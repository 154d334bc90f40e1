"""Sessions on a server that syncs always: append, search, load, handoff, reindex."""

from __future__ import annotations

import asyncio
import random
import socket
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.table import quantile, show
from services.sessions.follower import Follower
from services.sessions.handlers import Handlers
from services.sessions.index import Index
from services.sessions.journal import Journal
from services.sessions.leases import Leases
from services.sessions.recall import rank
from services.sessions.stored import Fact
from shared import bootstrap
from shared.bus import open_bus
from shared.clock import now
from shared.events import SearchAsk, SessionAppend, SessionAsk, SessionEvent
from shared.settings import NatsSettings, Settings

SERVER = Path(sys.executable).parent / "nats-server"
VOCABULARY = 20_000
WORDS = 26
"""Words of one event, as in LoCoMo."""

KINDS = ("message", "note", "pending.add", "decision", "learning", "task.done")


def text(dice: random.Random) -> str:
    """Return words whose frequencies fall as those of content words do (Zipf-Mandelbrot).

    The most frequent one stands in about one event of four, as in LoCoMo.
    """
    ranks = (int(100 * (dice.paretovariate(1.0) - 1)) for _ in range(WORDS))
    return " ".join(f"w{rank % VOCABULARY}" for rank in ranks)


def made(count: int, namespaces: int, kinds: tuple[str, ...] = ("message",)) -> list[Fact]:
    dice = random.Random(7)
    facts = []
    for seq in range(1, count + 1):
        space = seq * namespaces // (count + 1)
        session = f"s{space}-{seq // 200}"
        event = SessionEvent.model_validate(
            {"event_id": f"e{seq}", "namespace": f"n{space}", "session_id": session,
             "kind": kinds[seq % len(kinds)], "title": text(dice), "at": now()}
        )  # fmt: skip
        facts.append(Fact(seq, event, event.model_dump_json().encode()))
    return facts


async def timed(count: int, act: Callable[[int], Awaitable[object]]) -> dict[str, Any]:
    """Return wall p50 and p95 and CPU per call, in ms."""
    spent = []
    cpu = time.process_time()
    for number in range(count):
        begin = time.perf_counter()
        await act(number)
        spent.append((time.perf_counter() - begin) * 1000)
    cpu = (time.process_time() - cpu) * 1000 / count
    return {
        "n": count,
        "p50 ms": quantile(spent, 0.5),
        "p95 ms": quantile(spent, 0.95),
        "cpu ms": cpu,
    }


async def searches(folder: Path, count: int, namespaces: int) -> dict[str, Any]:
    index = Index(folder / f"{count}-{namespaces}.db")
    await index.open("benchmark")
    try:
        facts = made(count, namespaces)
        await index.add(facts, facts[-1].seq)
        dice = random.Random(8)

        async def one(number: int) -> None:
            query = " ".join(text(dice).split()[:8])
            await rank(index, SearchAsk(namespace=f"n{number % namespaces}", query=query))

        label = f"search, {count} events in {namespaces} namespaces"
        return {"what": label} | await timed(60, one)
    finally:
        await index.close()


async def handoffs(folder: Path) -> dict[str, Any]:
    index = Index(folder / "handoff.db")
    await index.open("benchmark")
    try:
        facts = [
            Fact(f.seq, f.event.model_copy(update={"session_id": "one"}), f.data)
            for f in made(10_000, 1, KINDS)
        ]
        facts = [Fact(f.seq, f.event, f.event.model_dump_json().encode()) for f in facts]
        await index.add(facts, facts[-1].seq)
        handlers = Handlers(index, None, "n0", None)  # type: ignore[arg-type]
        ask = SessionAsk(namespace="n0", session_id="one")
        return {"what": "handoff of 10,000 events"} | await timed(
            3, lambda _: handlers.handoff(ask)
        )
    finally:
        await index.close()


async def appends(folder: Path) -> list[dict[str, Any]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "nats.conf"
    config.write_text(
        f"port: {port}\nhost: 127.0.0.1\n"
        f'jetstream {{ store_dir: "{folder}", sync_interval: always }}\n'
    )
    command = (str(SERVER), "-c", str(config), "-l", f"{folder}/log")
    server = await asyncio.create_subprocess_exec(*command)
    settings = Settings(nats=NatsSettings(url=f"nats://127.0.0.1:{port}"))
    try:
        await asyncio.sleep(1.0)
        async with open_bus(settings, "bench") as bus:
            await bootstrap.ensure(bus)
            return await _appends(bus, folder)
    finally:
        server.kill()
        await server.wait()


async def _appends(bus: Any, folder: Path) -> list[dict[str, Any]]:
    index = Index(folder / "append.db")
    follower = Follower(bus, index)
    await follower.open()
    loop = asyncio.create_task(follower.run())
    try:
        journal = Journal(bus, index, follower, "bench")
        handlers = Handlers(index, journal, "main", Leases(bus))
        dice = random.Random(9)

        async def bare(number: int) -> None:
            event = SessionEvent(event_id=f"b{number}", namespace="main", session_id="bare",
                                 kind="note", title=text(dice))  # fmt: skip
            await bus.publish("session.event.bare", event, event.event_id)

        async def append(number: int) -> None:
            title = text(dice)
            await handlers.append(
                SessionAppend(namespace="main", session_id="s", kind="note", title=title)
            )

        place = SessionAsk(namespace="main", session_id="s")
        rows = [{"what": "floor: publish with ack"} | await timed(200, bare)]
        rows.append({"what": "append, indexed"} | await timed(200, append))
        rows.append({"what": "load 200 events"} | await timed(20, lambda _: handlers.load(place)))
        rows.append({"what": "reindex 400 events"} | await timed(3, lambda _: follower.rebuild()))
        return rows
    finally:
        loop.cancel()
        await asyncio.wait([loop])
        await index.close()


async def run() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = await appends(folder)
        rows.append(await searches(folder, 5_882, 10))
        rows.append(await searches(folder, 5_882, 1))
        rows.append(await searches(folder, 100_000, 10))
        rows.append(await searches(folder, 100_000, 1))
        rows.append(await handoffs(folder))
    show("sessions_speed", "Sessions, sync_interval always", rows)
