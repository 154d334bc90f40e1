"""What durability costs: dispatch, steps a second, CPU a step, recovery; beside plain nats-py.

One nats-server, one agents process, a model that answers at once over the bus. `PEERS_PYTHON`
names the Python of an environment with CrewAI, LangGraph or Celery: those are measured in the same
run by `benchmarks/peers`, each with the same instant model; what is not installed is one line.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psutil
from nats.js.api import RetentionPolicy, StreamConfig

from benchmarks import agents_peers
from benchmarks.table import quantile, show
from shared import bootstrap
from shared.bus import Bus, encode, open_bus
from shared.events.models import ChatReply, ChatRequest
from shared.events.tasks import TaskRequest
from shared.settings import NatsSettings, Settings
from tests.conftest import SERVER, free_port

ROOT = Path(__file__).parents[1]
SHORT = "CI" in os.environ
DISPATCHES = 40 if SHORT else 300
TASKS = 20 if SHORT else 200
STEPS = 5
KILLS = 2 if SHORT else 5
PLAIN = 200 if SHORT else 4000
LOOPS = 8
NOOP = """description: Does nothing, at once.
concurrency: 32
done_when: It is done.
prompt: Say done.
"""
LONG = "The shop has a catalogue, a basket, a till and a back office. " * 30


@dataclass
class Rig:
    """A server, a bus on it, and the agents process."""

    bus: Bus
    url: str
    crew: Path
    server: subprocess.Popen[bytes]
    agents: list[subprocess.Popen[bytes]]

    def cpu(self) -> tuple[float, float]:
        """Return CPU seconds of the agents processes and of the server so far."""
        used = [_cpu(process.pid) for process in self.agents]
        return sum(used), _cpu(self.server.pid)

    def launch(self, name: str) -> subprocess.Popen[bytes]:
        """Start one more agents process."""
        own = {"SOVEREIGN_NATS__URL": self.url, "SOVEREIGN_INSTANCE": name,
               "SOVEREIGN_LOG_LEVEL": "warning", "PYTHONPATH": str(ROOT),
               "SOVEREIGN_AGENTS__FOLDER": str(self.crew),
               "SOVEREIGN_AGENTS__SLOTS": "32"}  # fmt: skip
        command = [sys.executable, "-m", "services.agents"]
        self.agents.append(subprocess.Popen(command, env=os.environ | own, cwd=ROOT))
        return self.agents[-1]


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def run() -> None:
    """Measure with every write synced, then with the server's default; then the peers."""
    rows: list[dict[str, Any]] = []
    for sync in ("always", "2m"):
        async with rig(sync) as made:
            rows += await measured(made, sync)
    show("agents_durability", "Durable tasks, one agents process, instant model", rows)
    agents_peers.run()


async def measured(made: Rig, sync: str) -> list[dict[str, Any]]:
    """Return the rows of one server setting."""
    floor = await plain_dispatch(made.bus)
    ours = await dispatch(made.bus)
    rate = await plain_rate(made.bus)
    rows = [
        _times(sync, "FLOOR: plain nats-py worker has it", floor),
        _times(sync, "submit to first step started (aim 3 / 25)", ours),
        _row(sync, "FLOOR: plain nats-py take, store result, ack", "steps/s", rate),
        *await throughput(made, sync, rate),
    ]
    if sync == "always":
        rows += await recovery(made, sync)
    return rows


@asynccontextmanager
async def rig(sync: str) -> AsyncIterator[Rig]:
    """Yield a server with that `sync_interval`, a model that answers, and one agents process."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = Path(folder) / "nats.conf"
        config.write_text(
            f"port: {port}\nhost: 127.0.0.1\nmax_payload: 2MB\n"
            f'jetstream {{ store_dir: "{folder}", sync_interval: "{sync}" }}\n'
        )
        server = _serve([str(SERVER), "-c", str(config), "-l", f"{folder}/log"])
        url = f"nats://127.0.0.1:{port}"
        await asyncio.sleep(0.5)
        settings = Settings(nats=NatsSettings(url=url), data_dir=Path(folder) / "data")
        made: Rig | None = None
        try:
            async with open_bus(settings, "bench") as bus:
                await bootstrap.ensure(bus)
                made = Rig(bus, url, crew_of(folder), server, [])
                await answer_models(bus)
                made.launch("agents-1")
                await ready(bus)
                yield made
        finally:
            for process in made.agents if made else []:
                process.kill()
                process.wait()
            server.kill()
            server.wait()


def _serve(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command)


def crew_of(folder: str) -> Path:
    """Return a folder with one more agent, of which many run at the same time."""
    crew = Path(folder) / "crew"
    crew.mkdir()
    (crew / "noop.yaml").write_text(NOOP)
    return crew


async def answer_models(bus: Bus) -> None:
    """Be the router: a plan of five steps in a chain for the manager, one word for an agent."""

    async def on_chat(message: Any) -> None:
        request = ChatRequest.model_validate_json(message.data)
        text = PLAN if request.agent == "manager" else "- done"
        reply = ChatReply(request_id=request.request_id or "", content=text, engine="ollama",
                          model="instant", is_llm=True, completion_tokens=1)  # fmt: skip
        await message.respond(encode(reply))

    await bus.nc.subscribe("model.chat", "router", cb=on_chat)


def _plan() -> str:
    steps = [
        {"id": f"s{n}", "agent": "noop", "title": f"s{n}", "instruction": "Do it.",
         "depends_on": [f"s{n - 1}"] if n else [], "done_when": "it is done"}
        for n in range(STEPS)
    ]  # fmt: skip
    return orjson.dumps({"steps": steps}).decode()


PLAN = _plan()


async def ready(bus: Bus) -> None:
    """Return when a first task has gone through."""
    await one(bus, "warm", agent="noop")


async def one(bus: Bus, task_id: str, kind: str = "task_finished", **more: Any) -> float:
    """Submit one task and return the seconds until its journal has an entry of `kind`."""
    journal = await bus.nc.subscribe(f"task.journal.{task_id}")
    begin = time.perf_counter()
    task = TaskRequest(task_id=task_id, title="Say it", **more)
    await bus.nc.publish("task.request.high", encode(task))
    while True:
        message = await journal.next_msg(60)
        if orjson.loads(message.data)["kind"] == kind:
            await journal.unsubscribe()
            return time.perf_counter() - begin


async def dispatch(bus: Bus) -> list[float]:
    """Measure submit to `step_started`, one task of one step at a time."""
    taken = []
    for number in range(DISPATCHES):
        end = await bus.nc.subscribe(f"agent.result.crew.d{number}")
        taken.append(await one(bus, f"d{number}", "step_started", agent="noop"))
        await end.next_msg(60)
        await end.unsubscribe()
    return taken


async def plain_dispatch(bus: Bus) -> list[float]:
    """Measure publish to fetched, on a work queue of the same settings."""
    await _plain_streams(bus)
    pull = await bus.js.pull_subscribe("plain.job", durable="one", stream="PLAIN")
    taken = []
    for _ in range(DISPATCHES):
        waiting = asyncio.create_task(pull.fetch(1, timeout=30))
        await asyncio.sleep(0.005)
        begin = time.perf_counter()
        await bus.nc.publish("plain.job", b'{"title": "Say it"}')
        [message] = await waiting
        taken.append(time.perf_counter() - begin)
        await message.ack()
    await pull.unsubscribe()
    return taken


async def plain_rate(bus: Bus) -> float:
    """Measure the steps a second of a plain worker: fetch, store a result with an ack, ack."""
    await bus.js.purge_stream("PLAIN")
    for _ in range(0, PLAIN, 100):
        await asyncio.gather(*(bus.js.publish("plain.job", b"x" * 200) for _ in range(100)))
    left = PLAIN

    async def work() -> None:
        nonlocal left
        pull = await bus.js.pull_subscribe_bind("one", "PLAIN")
        while left > 0:
            left -= 1
            [message] = await pull.fetch(1, timeout=30)
            await bus.js.publish("plainresult.a", b"x" * 400)
            await message.ack_sync()

    begin = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(LOOPS)))
    return PLAIN / (time.perf_counter() - begin)


async def _plain_streams(bus: Bus) -> None:
    queue = StreamConfig(name="PLAIN", subjects=["plain.*"], retention=RetentionPolicy.WORK_QUEUE)
    await bus.js.add_stream(queue)
    await bus.js.add_stream(StreamConfig(name="PLAINRESULT", subjects=["plainresult.*"]))


async def throughput(made: Rig, sync: str, plain: float) -> list[dict[str, Any]]:
    """Submit many tasks of five steps at once; a model plans each."""
    results = await made.bus.nc.subscribe("agent.result.crew.*", pending_msgs_limit=1_000_000)
    before, begin = made.cpu(), time.perf_counter()
    for number in range(TASKS):
        task = TaskRequest(task_id=f"t{number}", title="Plan and do it", description=LONG)
        await made.bus.nc.publish("task.request.normal", encode(task))
    for _ in range(TASKS):
        message = await results.next_msg(300)
        assert orjson.loads(message.data)["state"] == "done", message.data
    seconds = time.perf_counter() - begin
    after, steps = made.cpu(), TASKS * STEPS
    await results.unsubscribe()
    agents, server = ((b - a) * 1000 / steps for a, b in zip(before, after, strict=True))
    return [
        _row(sync, "tasks of five steps", "tasks/s", TASKS / seconds),
        _row(sync, "no-op steps, one agents process", "steps/s", steps / seconds),
        _row(sync, "ratio to the plain worker (aim 0.5)", "", steps / seconds / plain),
        _row(sync, "CPU a step, agents (aim 2)", "ms", agents),
        _row(sync, "CPU a step, nats-server", "ms", server),
    ]


async def recovery(made: Rig, sync: str) -> list[dict[str, Any]]:
    """Kill -9 the process that has just started a step; time until another one starts it again."""
    times, repeated = [], 0
    for number in range(KILLS):
        spare = made.launch(f"spare-{number}")
        await asyncio.sleep(2.0)
        journal = await made.bus.nc.subscribe(f"task.journal.k{number}")
        task = TaskRequest(task_id=f"k{number}", title="Plan and do it", description=LONG)
        await made.bus.nc.publish("task.request.high", encode(task))
        entries = [await _until(journal, "step_started")]
        victim = made.agents[0] if entries[0]["worker"] != f"spare-{number}" else spare
        victim.send_signal(signal.SIGKILL)
        begin = time.perf_counter()
        victim.wait()
        made.agents.remove(victim)
        while True:
            entry = orjson.loads((await journal.next_msg(60)).data)
            entries.append(entry)
            if entry["kind"] == "step_started" and len(times) == number:
                times.append(time.perf_counter() - begin)
            if entry["kind"] == "task_finished":
                break
        keys = [(e.get("step_id"), e["key"]) for e in entries if e["kind"] == "model_answered"]
        repeated += len(keys) - len(set(keys))
        await journal.unsubscribe()
    row = _times(sync, "kill -9 to started again (aim 5000)", times)
    return [row, _row(sync, "journaled model calls made twice (aim 0)", "", repeated)]


async def _until(journal: Any, kind: str) -> dict[str, Any]:
    while True:
        entry: dict[str, Any] = orjson.loads((await journal.next_msg(60)).data)
        if entry["kind"] == kind:
            return entry


def _times(sync: str, what: str, seconds: list[float]) -> dict[str, Any]:
    p50, p99 = (1000 * quantile(seconds, share) for share in (0.5, 0.99))
    return {"sync_interval": sync, "what": what, "unit": "ms", "p50": p50, "p99": p99}


def _row(sync: str, what: str, unit: str, value: float) -> dict[str, Any]:
    return {"sync_interval": sync, "what": what, "unit": unit, "p50": value, "p99": ""}
