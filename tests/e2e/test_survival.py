import asyncio
import json
import signal
import sys

import pytest

from tests.e2e.conftest import NOTES, PENDING, QUESTION
from tests.e2e.system import ROOT, SERVICES, System

pytestmark = pytest.mark.e2e


async def fake_ollama(system: System, *arguments: str) -> asyncio.subprocess.Process:
    """Start the fake model server where the system looks for Ollama."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.ollama", "--port", str(system.ollama_port), *arguments,
        cwd=ROOT, env=system.environment,
    )  # fmt: skip


async def until(check, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.1)


async def test_ctrl_c_leaves_nothing_behind(fresh):
    await fresh.start()
    assert len(fresh.processes()) >= len(SERVICES) + 2
    assert await fresh.stop(signal.SIGINT) == 0
    assert fresh.processes() == []


async def test_a_killed_supervisor_leaves_nothing_behind(fresh):
    await fresh.start()
    fresh.process.kill()

    async def gone() -> bool:
        return fresh.processes() == []

    await until(gone, 30)


@pytest.mark.parametrize("victim", [*SERVICES, "nats-server"])
async def test_kill_9_of_a_service_and_the_task_still_ends_once(fresh, victim):
    await fresh.start()
    given = {"task_id": "one", "title": QUESTION, "priority": "high",
             "attachments": [{"name": "notes.md", "text": NOTES}]}  # fmt: skip
    await fresh.post("/tasks/execute", [given])
    before = fresh.service(victim)
    before.kill()

    async def done() -> bool:
        code, out, _ = await fresh.cli("task", "show", "one", "--json")
        # A step that is done says so in the same words: the task's own state counts.
        view = json.loads(out) if code == 0 else {"result": None}
        return view["result"] is not None and view["task"]["state"] == "done"

    await until(done)
    _code, out, _ = await fresh.cli("task", "show", "one", "--json")
    assert all(item in out for item in PENDING)
    assert await stored_results(fresh) == 1

    async def back() -> bool:
        try:
            return fresh.service(victim).pid != before.pid
        except LookupError:
            return False

    await until(back, 30)
    assert await fresh.stop() == 0


async def stored_results(system: System) -> int:
    """Count the final results in the stream: one task, one result."""
    import nats

    client = await nats.connect(system.nats_url)
    info = await client.jetstream().stream_info("RESULTS", subjects_filter="agent.result.crew.>")
    await client.close()
    return sum((info.state.subjects or {}).values())


async def test_a_question_for_a_model_waits_and_goes_on_when_ollama_appears(fresh):
    await fresh.start()
    given = {"task_id": "poem", "title": "Write a poem about the sea"}
    await fresh.post("/tasks/execute", [given])

    async def waits() -> bool:
        status, view = await fresh.get("/tasks/poem")
        return status == 200 and view["task"]["state"] == "waiting"

    await until(waits, 30)
    server = await fake_ollama(fresh)
    try:
        _status, body = await fresh.post("/tasks/execute?wait=60", [given])
        result = body[0]["result"]
        assert (result["state"], result["engine"], result["is_llm"]) == ("done", "ollama", True)
        assert result["usage"]["completion_tokens"] > 0
    finally:
        server.kill()
        await server.wait()
    assert await fresh.stop() == 0
