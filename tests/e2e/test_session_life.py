"""A session from its first fact to being forgotten, on the whole system with its rights."""

import asyncio
import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def post(system, path: str, **body) -> dict:
    status, answer = await system.post(f"/sessions{path}", body)
    assert status == 200, answer
    return answer


async def get(system, path: str) -> dict:
    status, answer = await system.get(f"/sessions{path}")
    assert status == 200, answer
    return answer


async def recorded(system, kind: str) -> None:
    """Return when the session holds an event of this kind: outcomes come by themselves."""
    async with asyncio.timeout(60):
        while True:
            events = (await get(system, "/move"))["events"]
            if kind in {event["kind"] for event in events}:
                return
            await asyncio.sleep(0.1)


async def test_a_session_lives_is_resumed_and_forgotten(system):
    goal = {"goal": "The shop runs on the new host"}
    await post(system, "/move/events", kind="session.opened", title="Move it", data=goal)
    fact = {"kind": "pending.add", "title": "Switch the DNS", "event_id": "dns"}
    await post(system, "/move/events", **fact)
    task = {"task_id": "in-move", "title": "What is still pending?", "session": "move"}
    _, ((done),) = await system.post("/tasks/execute?wait=120", [task])
    assert "Switch the DNS" in done["result"]["answer"]
    assert "dns" in done["result"]["steps"][0]["context"]
    await recorded(system, "task.done")
    await post(system, "/move/close")
    told = await post(system, "/move/resume", record=False)
    assert (told["verified"], told["drift"]) == (True, [])
    assert (await post(system, "/move/fork/plan-b"))["session_id"] == "plan-b"
    context = await get(system, "/context?session=next")
    assert context["text"].startswith("## From the last handoff\n- move: [normal] Switch")
    code, out, errors = await system.cli("session", "forget", "--session", "move", "--yes", "-j")
    assert code == 0, errors
    assert json.loads(out)["found_after"] == 0
    assert (await get(system, "/search?q=DNS"))["hits"] == []
