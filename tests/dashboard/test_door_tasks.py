import asyncio

import orjson

from services.dashboard.door.guard import BODY_LIMIT
from shared.bus import encode
from shared.events import TaskResult, TaskState
from shared.reading import last_of, read_subject
from tests.dashboard.conftest import door
from tests.dashboard.test_crew import view

SEED = (
    '[{"task_id":"test-1","title":"Try it","description":"Say what you can do","priority":"high"}]'
)
JSON = {"Content-Type": "application/json"}


def result(task_id: str, answer: str = "42") -> TaskResult:
    return TaskResult(task_id=task_id, title="x", state=TaskState.DONE, answer=answer)


async def finish(bus, task_id: str) -> None:
    await bus.publish(f"agent.result.crew.{task_id}", result(task_id), f"crew.{task_id}")


async def test_the_array_form_queues_its_tasks(parts):
    async with door(parts) as client:
        answer = await client.post("/tasks/execute", content=SEED, headers=JSON)
    assert [(one["task_id"], one["state"]) for one in answer.json()] == [("test-1", "queued")]
    stored = await last_of(parts.bus, "TASKS", "task.request.high")
    assert orjson.loads(stored.data)["title"] == "Try it"


async def test_one_object_without_id_gets_one(parts):
    async with door(parts) as client:
        body = (await client.post("/tasks/execute", json={"title": "a"})).json()
    assert len(body[0]["task_id"]) == 26
    assert body[0]["priority"] == "normal"


async def test_the_same_id_twice_is_one_task(parts):
    async with door(parts) as client:
        await client.post("/tasks/execute", content=SEED)
        again = (await client.post("/tasks/execute", content=SEED)).json()
    assert again[0]["duplicate"] is True
    assert len(await read_subject(parts.bus, "TASKS", "task.request.*")) == 1


async def test_one_wrong_task_means_that_none_is_submitted(parts):
    async with door(parts) as client:
        answer = await client.post("/tasks/execute", json=[{"title": "a"}, {"title": ""}])
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "1.title")
    assert await read_subject(parts.bus, "TASKS", "task.request.*") == []


async def test_malformed_bodies_are_422(parts):
    bodies = ("", "{", "[1", '"x"', "[]", "\x00")
    async with door(parts) as client:
        answers = [await client.post("/tasks/execute", content=body) for body in bodies]
    assert {answer.status_code for answer in answers} == {422}


async def test_large_bodies_are_413_even_without_a_length(parts):
    async def chunks():
        for _ in range(BODY_LIMIT // 65536 + 2):
            yield b"a" * 65536

    async with door(parts) as client:
        declared = await client.post("/tasks/execute", content=b"a" * (BODY_LIMIT + 1))
        streamed = await client.post("/tasks/execute", content=chunks())
    assert (declared.status_code, streamed.status_code) == (413, 413)
    assert declared.json()["error"]["field"] == "body"


async def test_waiting_returns_the_result(parts):
    async with door(parts) as client:
        requested = await parts.bus.nc.subscribe("task.request.*")
        asked = asyncio.create_task(client.post("/tasks/execute?wait=10", content=SEED))
        await asyncio.wait_for(requested.next_msg(), 10)
        await finish(parts.bus, "test-1")
        body = (await asked).json()
    assert (body[0]["state"], body[0]["result"]["answer"]) == ("done", "42")


async def test_a_task_that_is_over_answers_at_once(parts):
    await finish(parts.bus, "test-1")
    async with door(parts) as client:
        body = (await client.post("/tasks/execute?wait=600", content=SEED)).json()
    assert body[0]["result"]["answer"] == "42"


async def test_waiting_ends_with_what_is_known(parts):
    async with door(parts) as client:
        body = (await client.post("/tasks/execute?wait=0.2", content=SEED)).json()
    assert (body[0]["state"], body[0]["result"]) == ("queued", None)


async def test_view_and_result_of_a_task(parts):
    bucket = await parts.bus.js.key_value("tasks")
    await bucket.put("t1", encode(view("t1", "done")))
    await finish(parts.bus, "t1")
    async with door(parts) as client:
        body = (await client.get("/tasks/t1")).json()
    assert (body["state"], body["result"]["answer"]) == ("done", "42")


async def test_unknown_and_impossible_ids(parts):
    async with door(parts) as client:
        answers = [await client.get(f"/tasks/{path}") for path in ("nope", "a.b", "%3E")]
    assert [answer.status_code for answer in answers] == [404, 422, 422]
    assert {answer.json()["error"]["field"] for answer in answers} == {"task_id"}


async def test_a_word_on_a_task_reaches_the_stream(parts):
    async with door(parts) as client:
        await client.post("/tasks/execute", content=SEED)
        answer = await client.post("/tasks/test-1/cancel", json={"reason": "no longer needed"})
    assert answer.status_code == 202
    stored = await last_of(parts.bus, "TASKS_CONTROL", "task.control.test-1")
    assert orjson.loads(stored.data)["reason"] == "no longer needed"


async def test_a_word_on_an_unknown_task_is_404(parts):
    async with door(parts) as client:
        assert (await client.post("/tasks/nope/cancel")).status_code == 404
        assert (await client.post("/tasks/nope/explode")).status_code == 422


async def test_a_word_on_an_unknown_step_is_404_and_names_it(parts):
    async with door(parts) as client:
        await client.post("/tasks/execute", content=SEED)
        answer = await client.post("/tasks/test-1/approve", json={"step": "s9"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (404, "step")
    assert await last_of(parts.bus, "TASKS_CONTROL", "task.control.test-1") is None


async def test_a_read_only_dashboard_takes_no_task(parts):
    parts.desk.read_only = True
    async with door(parts) as client:
        answer = await client.post("/tasks/execute", content=SEED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "refused")


async def test_the_list_is_filtered_by_state(parts):
    for number, state in enumerate(("done", "running", "done")):
        parts.store.fold(view(f"t{number}", state))
    async with door(parts) as client:
        body = (await client.get("/tasks?state=done&limit=1")).json()
    assert [one["state"] for one in body["tasks"]] == ["done"]


async def test_a_task_is_shown_as_last_heard_while_the_bus_is_away(parts, nats_server):
    parts.store.fold(view("t1", "running"))
    async with door(parts) as client:
        nats_server.kill()
        body = (await client.get("/tasks/t1")).json()
        unknown = await client.get("/tasks/t2")
    assert (body["state"], len(body["missing"])) == ("running", 1)
    assert unknown.status_code in (503, 504)


async def test_a_result_of_before_the_retry_is_told_as_earlier(parts):
    again = view("test-1", TaskState.RUNNING).model_copy(update={"run": 2})
    await parts.bus.js.publish("$KV.tasks.test-1", encode(again))
    await finish(parts.bus, "test-1")
    async with door(parts) as client:
        told = (await client.get("/tasks/test-1")).json()
    assert (told["state"], told["result"], told["earlier"]["run"]) == ("running", None, 1)
