from services.agents.answer import compose
from shared.events.base import Reason
from shared.events.tasks import Plan, PlanStep, StepResult, TaskRequest, TaskState

TASK = TaskRequest(title="t")
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def step(name, *needs):
    return PlanStep(id=name, agent="x", title=name.title(), instruction="i", depends_on=needs)


def result(name, output="", state=TaskState.DONE, **more):
    return StepResult(
        task_id="t", step_id=name, agent="x", title=name, state=state, output=output, **more
    )


def plan(*steps, origin="model"):
    return Plan(steps=steps, origin=origin)


def test_one_leaf_is_the_answer_as_it_is():
    results = [result("a", "first"), result("b", "# The end\n")]
    assert compose(TASK, plan(step("a"), step("b", "a")), results) == ("# The end", None)


def test_several_leaves_become_sections_with_lower_headings():
    results = [result("a", "# One\n```\n# code\n```"), result("b", "two")]
    text, _ = compose(TASK, plan(step("a"), step("b")), results)
    assert text == "## A\n\n### One\n```\n# code\n```\n\n## B\n\ntwo"


def test_the_parts_of_a_question_all_appear_in_its_order():
    steps = (step("pending"), step("order", "pending"), step("risks"))
    results = [result(name, name) for name in ("risks", "order", "pending")]
    text, _ = compose(TASK, plan(*steps, origin="rule"), results)
    assert [line for line in text.splitlines() if line.startswith("##")] == [
        "## Pending",
        "## Order",
        "## Risks",
    ]


def test_the_same_text_stands_there_once():
    text, _ = compose(TASK, plan(step("a"), step("b")), [result("a", "x"), result("b", "x ")])
    assert text == "## A\n\nx"


def test_what_failed_or_never_ran_is_named_with_its_reason():
    failed = result("a", state=TaskState.FAILED, reason=Reason(code="c", message="no model"))
    text, _ = compose(TASK, plan(step("a"), step("b")), [failed])
    assert "this step is failed: no model" in text
    assert "did not run" in text


def test_data_is_given_when_a_schema_was_asked_and_met():
    task = TaskRequest(title="t", output_schema=SCHEMA)
    one = plan(step("answer"))
    assert compose(task, one, [result("answer", '{"n": 1}')])[1] == {"n": 1}
    assert compose(task, one, [result("answer", "{}", data={"n": 2})])[1] == {"n": 2}
    for bad in ('{"n": "x"}', "prose"):
        assert compose(task, one, [result("answer", bad)]) == (bad, None)
    assert compose(TASK, one, [result("answer", "", data={"n": 2})])[1] is None
