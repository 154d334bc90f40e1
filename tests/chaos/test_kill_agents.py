"""Kill -9 of the agents process at every entry of a five-step task: one result, nothing twice."""

import asyncio
import os
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import orjson
import pytest

from shared.events.tasks import TaskState
from tests.agents.harness import entries, model, reply, result, stored, submit, until

pytestmark = pytest.mark.chaos

ROOT = Path(__file__).parents[2]
TITLE = "Build and deploy the new shop, optimise its cost, then review the risks and decide"
LONG = "The shop has a catalogue, a basket, a till and a back office. " * 30
EDGES = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"]}
AGENTS = dict(
    zip(EDGES, ("analyzer", "strategist", "builder", "optimizer", "builder"), strict=True)
)
ENTRIES = 19
"""task_queued, the model's plan, task_planned, three for each of five steps, task_finished."""


def plan() -> str:
    steps = [
        {"id": name, "agent": AGENTS[name], "title": name, "instruction": f"Do {name}.",
         "depends_on": needs, "done_when": "it is there"}
        for name, needs in EDGES.items()
    ]  # fmt: skip
    return orjson.dumps({"steps": steps}).decode()


async def answer(request):
    return reply(request, plan() if request.agent == "manager" else "")


async def launch(settings, name: str) -> asyncio.subprocess.Process:
    given = {
        "SOVEREIGN_NATS__URL": settings.nats_url,
        "SOVEREIGN_INSTANCE": name,
        "SOVEREIGN_AGENTS__ACK_WAIT_S": "1",
        "SOVEREIGN_LOG_LEVEL": "warning",
    }
    command = (sys.executable, "-m", "services.agents")
    return await asyncio.create_subprocess_exec(*command, env=os.environ | given, cwd=ROOT)


@asynccontextmanager
async def agents(settings, names):
    """Yield the processes by name; whatever runs at the end is killed."""
    running = {name: await launch(settings, name) for name in names}
    try:
        yield running
    finally:
        for process in running.values():
            if process.returncode is None:
                process.kill()
            await process.wait()


async def wait_for_entry(bus, task_id: str, position: int):
    """Return once the journal has `position` entries, told by the bus as they are published."""
    seen = asyncio.Queue()
    heard = await bus.nc.subscribe(f"task.journal.{task_id}", cb=seen.put)
    await bus.nc.flush()

    async def reached() -> None:
        for _ in range(position):
            await seen.get()
        await heard.unsubscribe()

    return reached()


async def check(bus, asked, task_id: str) -> None:
    done = await result(bus, task_id, within=40)
    assert (done.state, len(done.steps)) == (TaskState.DONE, 5)
    journal = await entries(bus, task_id)
    kept = [e for e in journal if e.kind == "model_answered"]
    assert len({entry.step_id for entry in kept}) == len(kept) == 6
    calls = {r.step_id: r.request_id for r in asked.asked if r.task_id == task_id}
    again = "a call was made again after its answer was in the journal"
    assert {entry.step_id: entry.reply.request_id for entry in kept} == calls, again
    assert sum(entry.kind == "task_finished" for entry in journal) == 1


async def results_of(bus, task_id: str) -> int:
    info = await bus.js.stream_info("RESULTS", subjects_filter=f"agent.result.crew.{task_id}")
    return sum((info.state.subjects or {}).values())


@pytest.mark.timeout(600)
async def test_kill_at_every_entry(bus, settings):
    async with model(bus, answer) as asked, agents(settings, ["agents-1"]) as running:
        for position in range(1, ENTRIES + 1):
            task_id = f"kill-{position}"
            reached = await wait_for_entry(bus, task_id, position)
            await submit(bus, task_id, title=TITLE, description=LONG)
            with anyio.fail_after(30):
                await reached
            running["agents-1"].kill()
            await running["agents-1"].wait()
            running["agents-1"] = await launch(settings, "agents-1")
            await check(bus, asked, task_id)
            assert await results_of(bus, task_id) == 1
        await until(lambda: _drained(bus))


@pytest.mark.timeout(120)
async def test_another_process_goes_on_within_the_ack_wait(bus, settings):
    hold = {"on": True}

    async def slow_once(request):
        if request.step_id == "a" and hold["on"]:
            hold["on"] = False
            await asyncio.sleep(60)
        return await answer(request)

    async with model(bus, slow_once) as asked, agents(settings, ["agents-1", "agents-2"]) as two:
        await submit(bus, "t", title=TITLE, description=LONG)
        await until(lambda: any(request.step_id == "a" for request in asked.asked), within=30)
        [owner] = [e.worker for e in await entries(bus, "t") if e.kind == "step_started"]
        killed = time.monotonic()
        two[owner].kill()
        await check(bus, asked, "t")
        took = time.monotonic() - killed
    sys.stderr.write(f"kill -9 of the owner to the final result: {took:.2f} s at ack_wait 1 s\n")
    started = [e for e in await entries(bus, "t") if e.kind == "step_started" and e.step_id == "a"]
    assert len({entry.worker for entry in started}) == 2


async def _drained(bus) -> bool:
    return await stored(bus, "TASKS") + await stored(bus, "STEPS") == 0
