import pytest

from services.agents.crew import load_crew
from services.agents.planning.template import template_list, template_names, template_plan
from services.agents.prompts import ANSWER
from shared.events.tasks import TaskRequest

CREW = load_crew()


@pytest.mark.parametrize("name", template_names())
def test_a_template_is_a_plan_for_the_crew_that_ends_in_one_answer(name):
    plan = template_plan(name, TaskRequest(title="x"), CREW)
    used = {need for step in plan.steps for need in step.depends_on}
    assert [step.id for step in plan.steps if step.id not in used] == [ANSWER]
    assert {step.agent for step in plan.steps} <= set(CREW)


def test_the_list_tells_what_each_is_for():
    told = {one.name: one.description for one in template_list().templates}
    assert {"code-review", "compare", "incident", "meeting", "release-notes"} <= set(told)
    assert all(told.values())
