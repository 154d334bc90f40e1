import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from shared.bus import decode
from shared.events import AgentRoster, Beat, Empty, TaskControl
from tests.agents.harness import model, reply, result, submit, until

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def process(settings, name="agents-1"):
    """Start the agents as a process and wait until it is ready."""
    given = {
        "SOVEREIGN_NATS__URL": settings.nats_url,
        "SOVEREIGN_INSTANCE": name,
        "SOVEREIGN_OPS__BEAT_S": "0.3",
    }
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.agents", env=os.environ | given, cwd=ROOT
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def ready(bus) -> Beat:
    beats = await bus.nc.subscribe("health.beat.agents.*")
    with anyio.fail_after(20):
        async for message in beats.messages:
            beat = decode(message.data, Beat)
            if beat.state == "ready":
                await beats.unsubscribe()
                return beat
    raise AssertionError


async def test_the_service_beats_tells_its_roster_and_works(bus, settings):
    async with model(bus), process(settings) as agents:
        beat = await ready(bus)
        assert beat.info["agents"]["builder"]["busy"] == 0
        roster = await bus.request("agent.status", Empty(), AgentRoster)
        assert {agent.name for agent in roster.agents} >= {"analyzer", "builder", "deployer"}
        await submit(bus)
        assert (await result(bus)).state == "done"
        agents.terminate()
        assert await agents.wait() == 0


async def test_a_cancel_reaches_the_running_call_within_a_second(bus, settings):
    async def slow(request):
        await asyncio.sleep(30)
        return reply(request)

    async with model(bus, slow) as asked, process(settings):
        await ready(bus)
        await submit(bus)
        await until(lambda: asked.asked)
        await bus.publish("task.control.t1", TaskControl(action="cancel", task_id="t1"), "c")
        await until(lambda: asked.cancelled, within=1.5)
        assert asked.cancelled == [asked.asked[0].request_id]
        assert (await result(bus)).state == "cancelled"
