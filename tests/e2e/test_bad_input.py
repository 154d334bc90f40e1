import asyncio
import json

import nats
import pytest

from tests.conftest import free_port
from tests.e2e.conftest import NOTES, QUESTION

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

GOOD = {"title": QUESTION, "attachments": [{"name": "n.md", "text": NOTES}]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{not json", "body"),
        ([{"title": ""}], "title"),
        ([{"title": "x", "priority": "asap"}], "priority"),
        ([{"title": "x", "task_id": "a.b"}], "task_id"),
        ([{"title": "x", "task_id": "*"}], "task_id"),
        ([], "body"),
        ("text", "0"),
    ],
)
async def test_the_door_names_the_field(system, body, field):
    status, answer = await system.post("/tasks/execute", body)
    assert status == 422
    assert field in answer["error"]["field"]


async def test_the_door_refuses_two_mebibytes(system):
    status, answer = await system.post("/tasks/execute", b"[" + b" " * (2 * 1024 * 1024) + b"]")
    assert (status, answer["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("subject", "payload", "field"),
    [
        ("task.request.high", b"{not json", "body"),
        ("task.request.high", b'{"title": "  "}', "title"),
        ("task.request.high", b'{"title": "x", "task_id": "a.b"}', "task_id"),
        ("task.request.asap", b'{"title": "x"}', "priority"),
        ("task.request.low", b"\xff\xfe", "body"),
    ],
)
async def test_the_bus_keeps_a_dead_letter_with_the_reason(system, subject, payload, field):
    client = await nats.connect(system.nats_url)
    letters = await client.subscribe("dead.TASKS")
    await client.flush()
    await client.request(subject, payload, 5)
    letter = json.loads((await letters.next_msg(20)).data)
    assert (letter["subject"], field in (letter["reason"]["field"] or "")) == (subject, True)
    await client.close()


async def test_the_crew_goes_on_afterwards(system):
    status, body = await system.post("/tasks/execute?wait=60", [GOOD])
    assert (status, body[0]["result"]["state"]) == (200, "done")
    _, health = await system.get("/health")
    assert health["status"] == "ok"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("task", "submit", " "), "title"),
        (("task", "submit", "x", "--priority", "asap"), "priority"),
        (("task", "submit", "x", "--id", "a.b"), "task_id"),
        (("task", "submit", "x", "--file", "/nowhere/at/all"), "/nowhere/at/all"),
    ],
)
async def test_the_command_line_says_what_is_wrong(system, arguments, said):
    code, out, errors = await system.cli(*arguments)
    assert (code, out) == (2, "")
    assert said in errors.replace("\n", " ")


async def test_a_port_that_is_taken_is_one_clear_line(system, tmp_path):
    environment = {"SOVEREIGN_DATA_DIR": str(tmp_path), "SOVEREIGN_NATS__PORT": "1"}
    for name, value in (("SOVEREIGN_NATS__PORT", system.nats_port),
                        ("SOVEREIGN_DASHBOARD__PORT", system.door_port)):  # fmt: skip
        given = system.environment | environment
        given["SOVEREIGN_NATS__PORT"] = "14999"
        code, errors = await _up(given | {name: str(value)})
        assert code == 2
        assert name in errors


async def test_a_server_that_does_not_answer_is_one_clear_line(system, tmp_path):
    given = system.environment | {"SOVEREIGN_DATA_DIR": str(tmp_path)}
    given["SOVEREIGN_DASHBOARD__PORT"] = str(free_port())
    code, errors = await _up(given | {"SOVEREIGN_NATS__URL": "nats://127.0.0.1:9"})
    assert code == 2
    assert "SOVEREIGN_NATS__URL" in errors


async def test_a_data_folder_that_cannot_be_written_is_one_clear_line(system):
    given = system.environment | {"SOVEREIGN_DATA_DIR": "/proc/nowhere"}
    code, errors = await _up(given)
    assert code == 2
    assert "SOVEREIGN_DATA_DIR" in errors


async def _up(environment: dict[str, str]) -> tuple[int, str]:
    import sys

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "up", env=environment, cwd=environment["HOME"],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        _, errors = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, errors.decode()
