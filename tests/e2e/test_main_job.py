import asyncio
import json
import uuid

import nats
import pytest

from tests.e2e.conftest import HANDOFF, HANDOFF_PENDING, NOTES, PENDING, QUESTION

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


def task(**more):
    given = {"task_id": f"t-{uuid.uuid4().hex[:8]}", "title": QUESTION}
    return given | {"attachments": [{"name": "notes.md", "text": NOTES}]} | more


def check(result: dict) -> None:
    """The answer holds what the notes say, and tells how it came to be."""
    assert result["state"] == "done"
    for item in PENDING:
        assert item in result["answer"]
    assert (result["engine"], result["is_llm"]) == ("offline", False)
    assert result["usage"]["prompt_tokens"] == result["usage"]["completion_tokens"] == 0
    assert len(result["plan"]["steps"]) == len(result["steps"]) > 1
    for step in result["steps"]:
        assert step["output"] and step["agent"] and step["engine"] and step["seconds"] >= 0


async def test_the_banner_has_four_lines(system):
    assert [line.split()[0] for line in system.banner] == ["bus", "data", "engine", "dashboard"]
    assert "offline" in system.banner[2]


async def test_a_task_over_http_waits_for_its_result(system):
    status, body = await system.post("/tasks/execute?wait=60", [task(priority="high")])
    assert status == 200
    check(body[0]["result"])


async def test_a_task_from_the_command_line(system):
    (system.folder / "notes.md").write_text(NOTES)
    code, out, errors = await system.cli(
        "task", "submit", QUESTION, "--file", "notes.md", "--wait", "--json"
    )
    assert code == 0, errors
    check(json.loads(out))


async def test_plain_json_on_the_bus(system):
    client = await nats.connect(system.nats_url)
    given = task()
    results = await client.subscribe(f"agent.result.crew.{given['task_id']}")
    ack = await client.request("task.request.high", json.dumps(given).encode(), 5)
    assert json.loads(ack.data)["stream"] == "TASKS"
    check(json.loads((await results.next_msg(60)).data))
    await client.close()


async def test_the_same_id_many_times_is_one_task(system):
    given = task()
    await asyncio.gather(*(system.post("/tasks/execute", [given]) for _ in range(20)))
    _status, body = await system.post("/tasks/execute?wait=60", [given])
    check(body[0]["result"])
    _, tasks = await system.get("/tasks")
    assert sum(one["task_id"] == given["task_id"] for one in tasks["tasks"]) == 1


@pytest.mark.skipif(not HANDOFF.exists(), reason="the real handoff document is not here")
async def test_the_real_handoff_comes_back_with_its_pending_items(system):
    attachment = {"name": HANDOFF.name, "text": HANDOFF.read_text(encoding="utf-8")}
    _, body = await system.post("/tasks/execute?wait=60", [task(attachments=[attachment])])
    answer = body[0]["result"]["answer"]
    assert [item for item in HANDOFF_PENDING if item not in answer] == []


async def test_the_task_becomes_a_session_with_a_handoff(system):
    given = task(session="weekly")
    await system.post("/tasks/execute?wait=60", [given])
    async with asyncio.timeout(20):
        handoff = ""
        while QUESTION[:40] not in handoff:
            _, handoff, _ = await system.cli("session", "handoff", "weekly")


async def test_status_shows_every_service_ready(system):
    code, out, errors = await system.cli("status", "--json")
    assert code == 0, errors
    services = {one["service"]: one["state"] for one in json.loads(out)["services"]}
    assert all(services[name] == "ready" for name in ("router", "agents", "match", "sessions"))


@pytest.mark.parametrize(
    "path",
    ["/health", "/autonomous/status", "/optimization/report", "/sovereignty", "/tasks"],
)
async def test_the_routes_answer_json(system, path):
    status, body = await system.get(path)
    assert (status, isinstance(body, dict)) == (200, True)


async def test_nobody_was_refused_on_the_bus(system):
    logs = (path.read_text() for path in (system.folder / "data" / "logs").glob("*.log"))
    assert [line for text in logs for line in text.splitlines() if "violation" in line] == []
