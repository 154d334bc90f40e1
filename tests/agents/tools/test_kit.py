import asyncio

from services.agents.tools.tool import Found, ToolFailed
from shared.errors import InvalidInput
from shared.events.tasks import TaskControl, TaskState
from tests.agents.harness import entries, model, reply, result, submit, until_state
from tests.agents.tools.bench import call, crew_with, saying, tool


async def run(bus, settings, answers, *tools, **changes):
    """Return the result of one step of a builder with these tools, and what was asked."""
    async with saying(bus, *answers) as asked, crew_with(bus, settings, *tools, **changes):
        await submit(bus, agent="builder")
        return await result(bus), asked.asked


def told(request) -> str:
    return request.messages[-1].content


async def test_a_call_is_made_journaled_and_told(bus, settings):
    look = tool()
    done, asked = await run(bus, settings, [[call(what="</result>a")], "- seen"], look)
    assert (done.answer, look.run.seen) == ("- seen", ["</result>a"])
    assert [each["function"]["name"] for each in asked[0].tools] == ["look"]
    assert told(asked[1]) == '<result tool="look">saw <\\/result>a</result>'
    kinds = [entry.kind for entry in await entries(bus)]
    assert kinds[3:6] == ["model_answered", "tool_answered", "model_answered"]
    assert [(use.tool, use.reason) for use in done.steps[0].tools] == [("look", None)]


async def test_the_same_call_again_is_answered_once_from_memory_then_ends_the_step(bus, settings):
    look = tool()
    done, asked = await run(bus, settings, [[call()]], look)
    assert (done.state, done.reason.code) == (TaskState.FAILED, "loop_detected")
    assert look.run.seen == ["x"]
    assert "You have made this very call" in told(asked[2])


async def test_what_was_looked_at_may_be_looked_at_again_after_something_was_done(bus, settings):
    look, act = tool(), tool("act", "idempotent")
    answers = [[call()], [call("act", "1")], [call()], [call("act", "2")], [call()], "- done"]
    done, _ = await run(bus, settings, answers, look, act)
    assert (done.answer, look.run.seen) == ("- done", ["x", "x", "x"])


async def test_an_invented_tool_is_told_once_then_ends_the_step(bus, settings):
    done, asked = await run(bus, settings, [[call("fly")], [call("swim")], "- x"], tool())
    assert "there is no tool 'fly'; there are: look" in told(asked[1])
    assert (done.reason.code, done.reason.field) == ("unknown_tool", "tools")
    assert "swim" in done.reason.message


async def test_wrong_arguments_and_failures_are_told_and_the_work_goes_on(bus, settings):
    async def fail(bench, given):
        raise ToolFailed("the cellar is dark")

    answers = [[call(given="{"), call(given='{"what": 7}')], [call("dark")], "- went on"]
    done, asked = await run(bus, settings, answers, tool(), tool("dark", run=fail))
    first, second = [message.content for message in asked[1].messages[-2:]]
    assert "arguments: no JSON object" in first
    assert "what: 7 is not of type 'string'" in second
    assert (told(asked[2]), done.answer) == ("error: the cellar is dark", "- went on")
    assert [use.reason.code for use in done.steps[0].tools] == [
        "invalid_input", "invalid_input", "tool_failed",
    ]  # fmt: skip


async def test_a_tool_that_never_answers_is_given_up(bus, settings):
    async def hang(bench, given):
        await asyncio.Event().wait()

    slow = tool("slow", run=hang, within_s=0.05)
    done, asked = await run(bus, settings, [[call("slow")], "- went on"], slow)
    assert (done.answer, done.steps[0].tools[0].reason.code) == ("- went on", "timed_out")
    assert "no answer in 0.05 s" in told(asked[1])


async def test_after_its_rounds_a_model_has_to_answer_without_tools(bus, settings):
    calls = [[call(what=str(number))] for number in range(2)]
    done, asked = await run(bus, settings, [*calls, "- enough"], tool(), rounds=2)
    assert (done.answer, [bool(each.tools) for each in asked]) == ("- enough", [True, True, False])
    assert told(asked[-1]).startswith("No more tools")


async def test_a_model_without_tools_does_the_step_without(bus, settings):
    async def answer(request):
        if request.tools:
            return InvalidInput("tiny does not support tools", field="tools").envelope()
        return reply(request, "- by hand")

    async with model(bus, answer), crew_with(bus, settings, tool()):
        await submit(bus, agent="builder")
        assert (await result(bus)).answer == "- by hand"


async def test_with_tools_the_form_of_the_answer_is_asked_for_at_the_end(bus, settings):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    answers = [[call()], "it is 7", '{"n": 7}']
    async with saying(bus, *answers) as asked, crew_with(bus, settings, tool()):
        await submit(bus, agent="builder", output_schema=schema)
        done = await result(bus)
    assert done.data == {"n": 7}
    assert [each.format for each in asked.asked] == [None, None, schema]
    assert done.steps[0].revisions == 0


async def approve(bus, step="answer", task_id="t1"):
    word = TaskControl(action="approve", task_id=task_id, step=step, by="ann")
    await bus.publish(f"task.control.{task_id}", word, "word")


async def test_a_call_that_may_be_made_once_is_not_repeated_without_a_persons_word(bus, settings):
    began, seen = asyncio.Event(), []

    async def deploy(bench, given):
        seen.append(given["what"])
        if len(seen) == 1:
            began.set()
            await asyncio.Event().wait()
        return Found("deployed")

    once = tool("deploy", "once", deploy)
    async with saying(bus, [call("deploy")], "- done") as asked:
        async with crew_with(bus, settings, once):
            await submit(bus, agent="builder")
            await began.wait()
        async with crew_with(bus, settings, once, name="agents-2"):
            record = await until_state(bus, TaskState.WAITING)
            (step,) = record.steps.values()
            assert (step.waiting.code, seen) == ("tool_unsettled", ["x"])
            await approve(bus, step.step.id)
            done = await result(bus)
    assert (done.state, len(seen)) == (TaskState.DONE, 2)
    assert len(asked.asked) == 2, "the journaled answer is not asked for again"


async def test_an_agent_may_have_to_ask_before_each_call_that_cannot_be_repeated(bus, settings):
    once = tool("deploy", "once")
    async with (
        saying(bus, [call("deploy")], "- done"),
        crew_with(bus, settings, once, approval="tools"),
    ):
        await submit(bus, agent="builder")
        record = await until_state(bus, TaskState.WAITING)
        (step,) = record.steps.values()
        assert (step.waiting.code, once.run.seen) == ("approval", [])
        assert 'builder wants to call deploy {"what": "x"}' in step.waiting.message
        await approve(bus, step.step.id)
        done = await result(bus)
    assert (done.state, once.run.seen) == (TaskState.DONE, ["x"])


async def test_a_call_whose_outcome_is_unknown_waits_and_one_that_was_refused_goes_on(
    bus, settings
):
    async def lose(bench, given):
        if given["what"] == "bad":
            raise ToolFailed("refused")
        raise OSError("the line is cut")

    once = tool("deploy", "once", lose)
    answers = [[call("deploy", "bad")], [call("deploy", "good")], "- x"]
    async with saying(bus, *answers) as asked, crew_with(bus, settings, once):
        await submit(bus, agent="builder")
        record = await until_state(bus, TaskState.WAITING)
    assert told(asked.asked[1]) == "error: refused"
    assert "the line is cut" in next(iter(record.steps.values())).waiting.message


async def test_a_worker_that_takes_over_repeats_no_call_that_is_journaled(bus, settings):
    hold, look = asyncio.Event(), tool()

    async def answer(request):
        if request.messages[-1].role == "tool":
            hold.set()
            await asyncio.Event().wait() if len(asked.asked) == 2 else None
            return reply(request, "- done")
        return reply(request, "-", tool_calls=[call()])

    async with model(bus, answer) as asked:
        async with crew_with(bus, settings, look):
            await submit(bus, agent="builder")
            await hold.wait()
        async with crew_with(bus, settings, look, name="agents-2"):
            done = await result(bus)
    assert (done.state, look.run.seen, len(asked.asked)) == (TaskState.DONE, ["x"], 3)
