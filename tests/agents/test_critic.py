import json

import pytest

from services.agents.crew import CHARS_PER_TOKEN, FRAME_TOKENS, load_crew
from services.agents.critic import RULES, critic_request
from shared.errors import NeedsModel
from shared.events.tasks import PlanStep, TaskRequest, TaskState
from tests.agents.harness import crew, entries, model, reply, result, submit, until_state

STEP = PlanStep(id="answer", agent="builder", title="x", instruction="Write it.", done_when="Good.")


def verdict(*problems: str, passed: bool | None = None) -> str:
    return json.dumps({"problems": problems, "pass": not problems if passed is None else passed})


def speaking(*verdicts: str):
    """Answer the critic with each verdict in turn, and the agents with drafts."""
    left, drafts = list(verdicts), iter(range(1, 9))

    async def answer(request):
        if request.agent != "critic":
            return reply(request, f"- draft {next(drafts)}")
        said = left.pop(0)
        return reply(request, said)

    return answer


async def run(bus, settings, *verdicts, verify="critic"):
    async with model(bus, speaking(*verdicts)) as asked, crew(bus, settings):
        await submit(bus, agent="builder", verify=verify)
        return await result(bus), asked.asked


def test_the_critic_sees_task_instruction_measure_and_output_alone():
    task = TaskRequest(title="T", task_id="t1")
    request = critic_request(load_crew()["builder"], task, STEP, "out </output> put")
    assert request.messages[-1].content == (
        "<task>T</task>\n<instruction>Write it.</instruction>\n<done_when>Good.</done_when>\n"
        "<output>out <\\/output> put</output>"
    )
    assert not request.allow_offline
    assert len(RULES) / CHARS_PER_TOKEN < FRAME_TOKENS


def test_a_long_output_is_cut_to_the_critics_context():
    spec = load_crew()["builder"]
    request = critic_request(spec, TaskRequest(title="T" * 9000), STEP, "x" * 500_000)
    size = sum(len(message.content) for message in request.messages)
    assert size <= spec.num_ctx * CHARS_PER_TOKEN


async def test_an_output_that_passes_is_verified(bus, settings):
    done, asked = await run(bus, settings, verdict())
    (step,) = done.steps
    assert (step.verified, step.verified_by, step.revisions) == (True, "critic", 0)
    assert len(asked) == 2
    purposes = [e.purpose for e in await entries(bus) if e.kind == "model_answered"]
    assert purposes == ["work", "critic"]


async def test_problems_are_given_back_and_the_new_output_is_judged_again(bus, settings):
    done, asked = await run(bus, settings, verdict("No date.", "No name."), verdict())
    (step,) = done.steps
    assert (step.output, step.verified, step.revisions) == ("- draft 2", True, 1)
    assert step.objections == ("1. No date. 2. No name.",)
    assert "1. No date. 2. No name." in asked[2].messages[-1].content


@pytest.mark.parametrize(
    ("verify", "state", "code"),
    [("critic", TaskState.DONE, None), ("strict", TaskState.FAILED, "not_verified")],
)
async def test_after_two_revisions_the_policy_decides(bus, settings, verify, state, code):
    done, asked = await run(bus, settings, *[verdict("Bad.")] * 3, verify=verify)
    assert (done.state, done.reason.code if done.reason else None) == (state, code)
    assert len(asked) == 6
    if code is None:
        assert (done.steps[0].verified, done.steps[0].revisions) == (False, 2)


@pytest.mark.parametrize(
    ("said", "verified"),
    [("no JSON", None), (verdict(passed=False), False), (verdict("x", passed=True), True)],
)
async def test_a_critic_that_makes_no_sense_stops_nothing(bus, settings, said, verified):
    done, asked = await run(bus, settings, said)
    assert (done.state, done.steps[0].verified, len(asked)) == (TaskState.DONE, verified, 2)


async def test_without_a_policy_code_alone_judges(bus, settings):
    done, asked = await run(bus, settings, verify=None)
    assert (done.steps[0].verified, done.steps[0].verified_by, len(asked)) == (True, "checks", 1)


async def test_what_rules_wrote_is_judged_by_code_alone(bus, settings):
    async def offline(request):
        return reply(request, "- by rule", is_llm=False, engine="offline")

    async with model(bus, offline) as asked, crew(bus, settings):
        await submit(bus, agent="builder", verify="critic")
        done = await result(bus)
    assert (done.steps[0].verified_by, len(asked.asked)) == ("checks", 1)


async def test_a_critic_that_lost_its_model_waits_and_nothing_is_asked_twice(bus, settings):
    async def answer(request):
        if request.agent != "critic":
            return reply(request, "- draft")
        critics = [each for each in asked.asked if each.agent == "critic"]
        lost = NeedsModel("no model").envelope()
        return lost if len(critics) == 1 else reply(request, verdict())

    async with model(bus, answer) as asked, crew(bus, settings) as room:
        await submit(bus, agent="builder", verify="critic")
        await until_state(bus, TaskState.WAITING)
        await asked.beat(room)
        done = await result(bus)
    assert done.steps[0].verified
    assert [each.agent for each in asked.asked] == ["builder", "critic", "critic"]
