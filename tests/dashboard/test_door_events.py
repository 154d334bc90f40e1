"""A task's events as they happen, and its journal."""

import orjson
import pytest

from services.dashboard.following import frame
from services.dashboard.journal import LONGEST_TEXT, line_of
from shared import events as e
from shared.bus import encode
from shared.reading import Stored
from tests.dashboard.conftest import door
from tests.dashboard.test_crew import view


@pytest.fixture
async def known(parts):
    """A task with two entries in its journal."""
    bucket = await parts.bus.js.key_value("tasks")
    await bucket.put("t1", encode(view("t1", "running")))
    plan = {"steps": [{"id": "s1", "agent": "builder", "title": "a", "instruction": "b"}]}
    await add(parts, e.TaskPlanned.model_validate({"plan": {**plan, "origin": "rule"}}), "j1")
    await add(parts, e.StepStarted(step_id="s1", attempt=1, worker="w", host="here"), "j2")


async def add(parts, entry, msg_id):
    return await parts.bus.publish("task.journal.t1", entry, msg_id)


async def events_of(stream):
    """Yield (kind, id, data) of each event that comes."""
    kind, number = "", None
    async for line in stream.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "id":
            number = int(value)
        elif name == "data":
            yield kind, number, orjson.loads(value)
            number = None


async def test_a_task_is_told_until_it_ends(parts, known):
    async with door(parts) as client, client.stream("GET", "/tasks/t1/events") as stream:
        told = events_of(stream)
        first, second = await anext(told), await anext(told)
        live = e.LiveUpdate(task_id="t1", step_id="s1", kind="text", text="hel\nlo")
        await parts.bus.emit("task.live.t1", live)
        third = await anext(told)
        await add(parts, e.TaskFinished(state="done"), "j3")
        rest = [one async for one in told]
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert [first[2]["kind"], second[2]["kind"]] == ["task_planned", "step_started"]
    assert (third[0], third[1], third[2]["text"]) == ("live", None, "hel\nlo")
    assert [one[0] for one in rest] == ["journal", "end"]
    assert rest[1][2] == {"task_id": "t1", "state": "done", "result": "/tasks/t1"}


async def test_a_reader_goes_on_where_it_was_cut_off(parts, known):
    await add(parts, e.TaskFinished(state="done"), "j3")
    async with door(parts) as client:
        whole = [one async for one in events_of(await opened(client))]
        again = [one async for one in events_of(await opened(client, whole[1][1]))]
    assert [one[2].get("kind") for one in again] == ["task_finished", None]


async def opened(client, last=0):
    request = client.build_request("GET", "/tasks/t1/events", headers={"Last-Event-ID": str(last)})
    return await client.send(request, stream=True)


async def test_the_journal_is_cut_with_a_way_to_the_whole(parts, known):
    words = "x" * (LONGEST_TEXT + 5)
    reason = e.Reason(code="c", message=words)
    await add(parts, e.TaskFinished(state="failed", reason=reason), "j3")
    async with door(parts) as client:
        short = (await client.get("/tasks/t1/journal?after=2")).json()["entries"][-1]
        whole = (await client.get("/tasks/t1/journal?whole=true")).json()["entries"][-1]
    assert (short["cut"], short["reason"]["message"].endswith("(5 characters more)")) == (
        True,
        True,
    )
    assert (whole["cut"], whole["reason"]["message"]) == (False, words)


async def test_what_nobody_knows_is_not_found_and_a_wrong_id_is_named(parts):
    async with door(parts) as client:
        unknown = [await client.get(f"/tasks/nope/{path}") for path in ("events", "journal")]
        wrong = await client.get("/tasks/a.b/events")
        number = await client.get("/tasks/t1/events", headers={"Last-Event-ID": "x"})
    assert [one.status_code for one in (*unknown, wrong, number)] == [404, 404, 422, 422]
    assert wrong.json()["error"]["field"] == "task_id"


def test_rubbish_in_a_journal_is_shown_as_text():
    line = line_of(Stored(7, "task.journal.t1", b"\xff{"))
    assert (line.seq, line.kind) == (7, "unreadable")


def test_an_event_is_one_line_of_data():
    assert frame("live", {"text": "a\nb"}, 3) == b'id: 3\nevent: live\ndata: {"text":"a\\nb"}\n\n'
