"""A session from its first fact to being forgotten, on the whole system with its rights."""

import asyncio
import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def said(system, *words: str) -> dict:
    code, out, errors = await system.cli("session", *words, "--json")
    assert code == 0, errors
    return json.loads(out)


async def recorded(system, kind: str) -> None:
    """Return when the session holds an event of this kind: outcomes come by themselves."""
    async with asyncio.timeout(60):
        while True:
            events = (await said(system, "show", "move"))["events"]
            if kind in {event["kind"] for event in events}:
                return


async def test_a_session_lives_is_resumed_and_forgotten(system):
    goal = '{"goal": "The shop runs on the new host"}'
    await said(system, "append", "move", "Move it", "--kind", "session.opened", "--data", goal)
    await said(system, "append", "move", "Switch the DNS", "--kind", "pending.add", "--id", "dns")
    code, out, errors = await system.cli(
        "task", "submit", "What is still pending?", "--session", "move", "--wait", "--json"
    )
    assert code == 0, errors
    done = json.loads(out)
    assert "Switch the DNS" in done["answer"]
    assert "dns" in done["steps"][0]["context"]
    await recorded(system, "task.done")
    closed = await said(system, "close", "move")
    told = await said(system, "resume", "move", "--look")
    assert (told["verified"], told["drift"]) == (True, [])
    assert (await said(system, "fork", "move", "plan-b"))["session_id"] == "plan-b"
    context = await said(system, "context", "--session", "next")
    assert context["text"].startswith("## From the last handoff\n- move: [normal] Switch")
    gone = await said(system, "forget", "--session", "move", "--yes")
    assert (gone["found_after"], closed["checksum"] != "") == (0, True)
    status, found = await system.get("/sessions/search?q=DNS")
    assert (status, found["hits"]) == (200, [])
