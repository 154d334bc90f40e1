from services.agents.crew import CHARS_PER_TOKEN, load_crew
from services.agents.prompts import room_of
from services.agents.tools.tool import Found
from shared.events.tasks import TaskState
from tests.agents.harness import crew, model, reply, result, submit, until_state
from tests.agents.tools.bench import call, crew_with, saying, tool

BUILDER = load_crew()["builder"]


def size(request) -> int:
    return sum(len(message.content) for message in request.messages)


async def test_a_correction_fits_beside_a_prompt_that_fills_its_room(bus, settings):
    long = "- " + "x" * 61_000  # more than an output may have

    async def answer(request):
        return reply(request, long if len(asked.asked) == 1 else "- short")

    notes = {"name": "notes.md", "text": "A line of the notes.\n" * 20_000}
    async with model(bus, answer) as asked, crew(bus, settings):
        await submit(bus, agent="builder", attachments=[notes])
        done = await result(bus)
    assert (done.answer, done.steps[0].revisions) == ("- short", 1)
    assert size(asked.asked[1]) <= BUILDER.num_ctx * CHARS_PER_TOKEN


async def test_results_of_tools_stay_within_the_room(bus, settings):
    async def much(bench, given):
        return Found("much " * 10_000)

    calls = [call("much", str(number)) for number in range(8)]
    big = tool("much", run=much)
    async with saying(bus, calls, calls[:1], "- done") as asked, crew_with(bus, settings, big):
        await submit(bus, agent="builder")
        done = await result(bus)
    assert done.answer == "- done"
    assert max(map(size, asked.asked)) <= room_of(BUILDER)


async def test_after_a_call_the_step_waits_for_a_model_and_makes_no_call_again(bus, settings):
    made = []

    async def once(bench, given):
        made.append(given)
        return Found("rolled out")

    async def answer(request):
        if not any(message.role == "tool" for message in request.messages):
            return reply(request, tool_calls=(call("roll"),))
        if not back:
            if request.allow_offline:
                return reply(request, " ", engine="offline", is_llm=False)
            return {"error": {"code": "needs_model", "message": "the model is gone"}}
        return reply(request, "- done")

    back: list[bool] = []
    rolling = tool("roll", run=once, effect="once")
    async with model(bus, answer) as asked, crew_with(bus, settings, rolling) as room:
        await submit(bus, agent="builder")
        await until_state(bus, TaskState.WAITING)
        back.append(True)
        await asked.beat(room)
        assert (await result(bus)).answer == "- done"
    assert len(made) == 1


async def test_the_tasks_budget_ends_a_step_between_two_of_its_calls(bus, settings):
    calls = [[call("look", str(number))] for number in range(4)]
    async with saying(bus, *calls, "- done") as asked, crew_with(bus, settings, tool()):
        await submit(bus, agent="builder", budget={"tokens": 20})
        done = await result(bus)
    assert (done.state, done.reason.code) == (TaskState.FAILED, "budget_exhausted")
    assert (done.reason.field, len(asked.asked)) == ("budget.tokens", 2)
