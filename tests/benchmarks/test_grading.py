import json

from benchmarks.grading import cases, grade, summary
from shared.events import journal as j
from shared.events.models import ChatReply
from shared.events.tasks import Plan, PlanStep, StepResult, TaskResult, TaskState

SET = {case.request.task_id: case for case in cases()}
STEPS = [
    {"id": "facts", "agent": "analyzer", "instruction": "x", "depends_on": []},
    {"id": "memo", "agent": "builder", "instruction": "x", "depends_on": ["facts"]},
]


def asked(content, number=1):
    reply = ChatReply(request_id="r", content=content, engine="ollama", model="m", is_llm=True)
    return j.ModelAnswered(key=f"plan.1.{number}", reply=reply)


def plan(origin="model", steps=STEPS):
    made = tuple(PlanStep(title=each["id"], **each) for each in steps)
    return j.TaskPlanned(plan=Plan(steps=made, origin=origin))


def ended(name, **more):
    done = StepResult(task_id="t", step_id=name, agent="x", title="x", state="done", **more)
    return j.StepEnded(kind="step_finished", result=done)


def result(answer, state=TaskState.DONE, *, llm=True):
    return TaskResult(task_id="t", title="x", state=state, answer=answer, is_llm=llm)


def test_the_set_holds_thirty_tasks_and_more_of_every_kind():
    assert len(SET) >= 30
    assert {case.request.template for case in SET.values()} >= {None, "code-review", "incident"}
    assert sum(bool(case.expect.get("waits")) for case in SET.values()) >= 3


def test_a_models_plan_is_valid_repaired_or_asked_for_again():
    case = SET["plan-offers"]
    good = json.dumps({"steps": STEPS})
    cyclic = json.dumps({"steps": [{**STEPS[0], "depends_on": ["memo"]}, STEPS[1]]})
    first = grade(case, [asked(good), plan()], result("Weserdata"))
    again = grade(case, [asked("no json"), asked(cyclic, 2), plan()], result("Weserdata"))
    assert (first.asks, first.valid, first.repaired, first.missed) == (1, 1, False, ())
    assert (again.asks, again.valid, again.repaired) == (2, 1, True)
    fixed = grade(case, [asked("no json"), plan("template")], result("Weserdata"))
    assert (fixed.fallback, fixed.valid) == (True, 0)


def test_what_was_expected_and_is_not_there_is_named():
    bad = grade(SET["pending"], [plan()], result("the catalogue"))
    assert bad.missed == (
        "steps 2", "by model", "word certificate", "word restore", "word french", "no catalogue",
    )  # fmt: skip
    assert grade(SET["pending"], [], result("", TaskState.FAILED)).missed == ("done (failed)",)


def test_rules_that_wait_where_the_text_is_silent_do_right_and_those_that_answer_do_not():
    case = SET["unknown-poem"]
    assert grade(case, [], None).missed == ()
    assert grade(case, [], result("the sea", llm=False)).missed == ("waits",)
    assert grade(SET["pending"], [], None).missed == ("answer",)


def test_the_figures_count_steps_and_plans():
    one = grade(
        SET["plan-offers"],
        [asked(json.dumps({"steps": STEPS})), plan(), ended("facts", verified=True),
         ended("memo", verified=False, revisions=2)],
        result("Weserdata"),
    )  # fmt: skip
    rows = {row["what"]: (row["value"], row["of"]) for row in summary([one])}
    assert rows["valid at the first ask (plans)"] == (1, 1)
    assert rows["verified (steps done)"] == (1, 2)
    assert rows["revised by the model (steps done)"] == (2, 2)
