from services.dashboard.pages.used import used
from shared.events import StepResult, TaskState
from shared.events.base import Reason
from shared.events.tools import ToolUse

HOSTILE = "<img src=x onerror=alert(1)>"


def step(**more) -> StepResult:
    given = {"task_id": "t1", "step_id": "a", "agent": "builder", "title": "A"}
    return StepResult(state=TaskState.DONE, **given | more)


def test_a_step_shows_each_call_with_what_it_was_given():
    wrote = ToolUse(tool="write_artifact", effect="idempotent", arguments={"name": "plan.md"})
    html = used(step(tools=(wrote,)))
    assert "write_artifact" in html
    assert "name plan.md" in html
    assert "idempotent" in html


def test_a_call_that_gave_nothing_shows_why():
    refused = Reason(code="refused", message="the host is not allowed")
    html = used(step(tools=(ToolUse(tool="http_fetch", effect="idempotent", reason=refused),)))
    assert "the host is not allowed (refused)" in html
    assert "failed" in html


def test_the_critic_and_its_objections_are_shown():
    given = {"verified": False, "verified_by": "critic", "revisions": 2}
    html = used(step(objections=("1. No figure.",), **given))
    assert "judged by the critic: did not pass after 2 revisions" in html
    assert "1. No figure." in html


def test_what_passed_the_checks_alone_says_nothing():
    assert used(step(verified=True, verified_by="checks")) == used(None) == ""


def test_arguments_and_objections_cannot_break_the_page():
    call = ToolUse(tool="t", effect="pure", arguments={HOSTILE: HOSTILE})
    html = used(step(tools=(call,), verified_by="critic", objections=(HOSTILE,)))
    assert "<img" not in html
