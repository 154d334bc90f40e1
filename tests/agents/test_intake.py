import pytest

from shared.events.tasks import TaskState
from tests.agents.harness import (
    crew,
    dead,
    entries,
    kinds,
    model,
    reply,
    result,
    stored,
    submit,
    until,
)

BAD = [
    (b"{not json", "body"),
    (b'{"title": "  "}', "title"),
    (b'{"title": "x", "task_id": "a.b"}', "task_id"),
    (b'{"title": "x", "priority": "asap"}', "priority"),
    (b'{"title": "x", "agent": "nobody"}', "agent"),
    (b'{"title": "x", "template": "nothing"}', "template"),
    (b'{"title": "x", "task_id": "me", "depends_on": ["me"]}', "depends_on"),
    (b'{"title": "x", "attachments": [{"name": "n", "object": "no"}]}', "attachments.0.object"),
    (b"\xff\xfe", "body"),
    (b'{"title": "x", "output_schema": {"enum": []}}', "output_schema"),
    (b'{"title": "x", "output_schema": {"properties": {"a": {"pattern": "("}}}}', "output_schema"),
    (b'{"title": "x", "budget": {"seconds": 1e12}}', "budget.seconds"),
    (b'{"title": "x", "budget": {"seconds": 1e400}}', "budget.seconds"),
    (b'{"title": "x", "budget": {"tokens": 1000000000000000}}', "budget.tokens"),
]


@pytest.mark.parametrize(("payload", "field"), BAD)
async def test_bad_input_is_a_dead_letter_that_names_the_field(bus, settings, payload, field):
    async with crew(bus, settings):
        await bus.js.publish("task.request.high", payload)
        letter = await dead(bus)
    assert letter["reason"]["field"] == field


REFUSED = [
    ({"agent": "nobody"}, "agent"),
    ({"template": "nothing"}, "template"),
    ({"output_schema": {"enum": []}}, "output_schema"),
    ({"attachments": [{"name": "n", "object": "no"}]}, "attachments.0.object"),
]


async def test_whoever_waits_for_a_refused_task_gets_a_result_that_names_the_field(bus, settings):
    async with crew(bus, settings):
        for given, field in REFUSED:
            await submit(bus, field.split(".")[0], **given)
        ends = [await result(bus, field.split(".")[0]) for _, field in REFUSED]
    reasons = [end.reason for end in ends]
    assert {end.state for end in ends} == {TaskState.FAILED}
    assert [(r.code, r.field) for r in reasons] == [("invalid_input", f) for _, f in REFUSED]


async def test_a_refused_message_leaves_the_task_of_its_id_alone(bus, settings):
    async with model(bus), crew(bus, settings):
        await submit(bus)
        await bus.js.publish("task.request.low", b'{"title": "x", "task_id": "t1", "agent": "no"}')
        assert (await dead(bus))["reason"]["field"] == "agent"
        assert (await result(bus)).state is TaskState.DONE


async def test_an_unknown_priority_is_set_aside_and_the_crew_goes_on(bus, settings):
    await bus.js.publish("task.request.asap", b'{"title": "x"}')
    async with model(bus), crew(bus, settings):
        letter = await dead(bus)
        await submit(bus)
        assert (await result(bus)).state is TaskState.DONE
    assert (letter["subject"], letter["reason"]["field"]) == ("task.request.asap", "priority")
    assert (await bus.js.stream_info("TASKS")).state.messages == 0


async def empty(bus) -> bool:
    return await stored(bus, "TASKS") == 0


async def test_the_same_id_a_hundred_times_is_one_task(bus, settings):
    async with model(bus) as asked, crew(bus, settings):
        for number in range(100):
            body = b'{"task_id": "same", "title": "List the open items"}'
            await bus.js.publish(f"task.request.{('low', 'high')[number % 2]}", body)
        await result(bus, "same")
        await until(lambda: empty(bus))
    assert len(asked.asked) == 1
    assert (await kinds(bus, "same")).count("task_queued") == 1
    assert (await bus.js.stream_info("RESULTS")).state.messages == 2


async def test_a_task_without_an_id_gets_one(bus, settings):
    async with model(bus), crew(bus, settings):
        results = await bus.nc.subscribe("agent.result.crew.*")
        await bus.js.publish("task.request.normal", b'{"title": "List the open items"}')
        message = await results.next_msg(timeout=10)
    assert len(message.subject.split(".")[-1]) == 26


async def test_a_large_attachment_stays_out_of_the_journal(bus, settings):
    text = "- pending: the roof\n" * 5000
    async with model(bus) as asked, crew(bus, settings):
        await submit(bus, attachments=[{"name": "notes.md", "text": text}])
        await result(bus)
    [queued] = [e for e in await entries(bus) if e.kind == "task_queued"]
    assert queued.request.attachments[0].text is None
    assert "pending: the roof" in asked.asked[0].messages[1].content


async def test_the_plan_comes_from_the_model_where_rules_do_not_do(bus, settings):
    plan = '{"steps": [{"id": "a", "agent": "builder", "title": "A", "instruction": "Do it.",'
    plan += ' "depends_on": [], "done_when": "done"}]}'

    async def answer(request):
        return reply(request, plan if request.agent == "manager" else "")

    async with model(bus, answer) as asked, crew(bus, settings):
        await submit(bus, title=HARD, description=LONG)
        done = await result(bus)
    assert (done.plan.origin, len(done.steps)) == ("model", 1)
    assert [request.agent for request in asked.asked] == ["manager", "builder"]


async def test_a_plan_that_stays_wrong_becomes_the_fixed_one_after_two_re_asks(bus, settings):
    async def answer(request):
        return reply(request, "I would rather not." if request.agent == "manager" else "")

    async with model(bus, answer) as asked, crew(bus, settings):
        await submit(bus, title=HARD, description=LONG)
        done = await result(bus)
    assert (done.plan.origin, done.state) == ("template", TaskState.DONE)
    assert sum(request.agent == "manager" for request in asked.asked) == 3


HARD = "Build and deploy the new shop, optimise its cost, then review the risks and decide"
LONG = "The shop has a catalogue, a basket, a till and a back office. " * 30
