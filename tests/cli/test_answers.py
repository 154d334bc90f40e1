import pytest

from cli.answers import show_task, waiting_steps
from shared.events.base import Reason
from shared.events.tasks import TaskState
from shared.events.tools import Artifact, ToolUse
from tests.cli import crew


@pytest.mark.parametrize(
    ("code", "asks"), [("approval", 1), ("tool_unsettled", 1), ("needs_model", 0)]
)
def test_steps_that_wait_for_a_person_are_those_to_approve(code, asks):
    reason = Reason(code=code, message="why")
    view = crew.view("t1", TaskState.WAITING, TaskState.WAITING, reason)
    assert len(waiting_steps(view)) == asks


def test_what_a_step_did_besides_answering_is_told(capsys):
    ended = crew.result("t1")
    failed = ToolUse(tool="look", effect="pure", reason=Reason(code="timed_out", message="slow"))
    (step,) = ended.steps
    made = Artifact(name="plan.md", object="t1.plan.md", size=6)
    busy = step.model_copy(
        update={"tools": (failed,), "artifacts": (made,), "verified": False,
                "verified_by": "critic", "revisions": 2, "objections": ("No\x1b[31m date.",)}
    )  # fmt: skip
    show_task(None, ended.model_copy(update={"steps": (busy,)}))
    said = capsys.readouterr().out
    assert "s1 called look: timed_out: slow" in said
    assert "s1 made plan.md, 6 bytes: sovereign task artifact t1 plan.md" in said
    assert "s1 refused by the critic, 2 revisions" in said
    assert r"objection: No\x1b[31m date." in said
