import asyncio

from shared.events.tasks import TaskState
from tests.agents.harness import crew, model, reply, result, submit, until

ONE_SLOT = {"slots": 1}
HELPER = """
description: Greets people.
done_when: The greeting is there.
keywords: [greet]
prompt: "You are {{ agent }}. {{ title }} {{ done_when }} {{ schema }}"
"""


def with_agents(settings, **changes):
    agents = settings.agents.model_copy(update=changes)
    return settings.model_copy(update={"agents": agents})


async def test_urgent_overtakes_and_low_still_moves(bus, settings):
    async def answer(request):
        await asyncio.sleep(0.01)
        return reply(request)

    async with model(bus, answer) as asked, crew(bus, with_agents(settings, slots=1)):
        for number in range(30):
            await submit(bus, f"low-{number}", "low", agent="builder")
        await until(lambda: len(asked.asked) >= 3)
        for number in range(20):
            await submit(bus, f"urgent-{number}", "urgent", agent="builder")
        await until(lambda: len(asked.asked) == 50)
    order = [request.task_id.partition("-")[0] for request in asked.asked]
    rush = order[order.index("urgent") :][:20]
    assert order.index("urgent") < 12
    assert (rush.count("urgent") > 14, "low" in rush) == (True, True)


async def test_slots_bound_what_runs_at_the_same_time(bus, settings):
    running, most = set(), []

    async def answer(request):
        running.add(request.request_id)
        most.append(len(running))
        await asyncio.sleep(0.02)
        running.discard(request.request_id)
        return reply(request)

    async with model(bus, answer), crew(bus, with_agents(settings, slots=2)):
        for number in range(8):
            await submit(bus, f"t{number}", agent="builder")
        for number in range(8):
            await result(bus, f"t{number}")
    assert max(most) == 2


async def test_a_users_own_agent_works_from_its_file(bus, settings, tmp_path):
    (tmp_path / "crew").mkdir()
    (tmp_path / "crew" / "greeter.yaml").write_text(HELPER)
    async with model(bus) as asked, crew(bus, with_agents(settings, folder=tmp_path / "crew")):
        await submit(bus, title="Greet Ann", agent="greeter")
        done = await result(bus)
    assert (done.state, done.steps[0].agent) == (TaskState.DONE, "greeter")
    assert asked.asked[0].agent == "greeter"


async def test_text_is_told_live_and_put_together(bus, settings):
    told = []

    async def hear(message):
        told.append(message.data)

    async def answer(request):
        return reply(request, "- " + "word " * 200)

    await bus.nc.subscribe("task.live.t1", cb=hear)
    async with model(bus, answer), crew(bus, settings):
        await submit(bus)
        await result(bus)
    pieces = [each for each in told if b'"kind":"text"' in each]
    assert 1 <= len(pieces) < 20
    assert b"".join(pieces).count(b"word") == 200
