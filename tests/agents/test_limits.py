import pytest

from services.agents.checks import EMPTY, Problem
from services.agents.crew import StepBudget, load_crew
from services.agents.limits import insufficient, out_of_time, plain
from shared.events.models import ChatRequest
from shared.events.tasks import TaskState
from tests.agents.harness import crew, model, reply, result, submit, until_state
from tests.agents.tools.bench import call, crew_with, saying, tool


def said(content: str, **more):
    asked = ChatRequest(messages=({"role": "user", "content": "x"},), request_id="r")
    return reply(asked, content, **more)


def test_an_empty_output_says_who_gave_it():
    problem = Problem(EMPTY, "the output is empty")
    assert "tiny (ollama) answered without a word: '--'" in plain(problem, said("--")).message
    offline = said(" ", is_llm=False, engine="offline")
    assert "the offline engine answered with an empty text" in plain(problem, offline).message


@pytest.mark.parametrize("code", [EMPTY, "no_list", "not_json"])
def test_what_rules_cannot_do_waits_for_a_model_and_says_so(code):
    assert "language model" in insufficient(Problem(code, "why")).message


async def test_rules_whose_output_does_not_pass_wait_and_the_model_starts_afresh(bus, settings):
    async def answer(request):
        if len(asked.asked) == 1:
            return reply(request, "no list at all", is_llm=False, engine="offline")
        return reply(request, "1. a list")

    async with model(bus, answer) as asked, crew(bus, settings) as room:
        await submit(bus, agent="deployer")
        record = await until_state(bus, TaskState.WAITING)
        assert "the output must be a list" in next(iter(record.steps.values())).waiting.message
        await asked.beat(room)
        done = await result(bus)
    assert (done.answer, done.is_llm) == ("1. a list", True)


@pytest.mark.parametrize("limit", [{"calls": 1}, {"tokens": 15}])
async def test_an_agent_stays_within_its_own_budget(bus, settings, limit):
    budget = StepBudget(**limit)
    async with saying(bus, [call()]) as asked, crew_with(bus, settings, tool(), budget=budget):
        await submit(bus, agent="builder")
        done = await result(bus)
    assert done.reason.code == "budget_exhausted"
    assert done.reason.field == f"budget.{next(iter(limit))}"
    assert len(asked.asked) == 1


def test_an_agents_own_time_has_a_reason():
    spec = load_crew()["builder"]
    limited = spec.model_copy(update={"budget": spec.budget.model_copy(update={"seconds": 2.5})})
    assert out_of_time(limited).message == "builder may work 2.5 s on one step"
