import pytest

from services.agents.admission import Verdict, admit
from shared.events import journal as j
from shared.events.base import Reason
from shared.events.tasks import Priority, RunStep, TaskState
from tests.agents.test_fold import control, ended, planned, started

WAITING = j.StepWaiting(step_id="a", attempt=1, reason=Reason(code="approval", message="?"))
FINISHED = j.TaskFinished(state=TaskState.CANCELLED)
FAILED = (started("a"), ended("a"), started("b"), ended("b", TaskState.FAILED))


def command(step="a", attempt=1):
    return RunStep(
        task_id="t", step_id=step, agent="builder", attempt=attempt, priority=Priority.LOW
    )


@pytest.mark.parametrize(
    ("entries", "step", "verdict"),
    [
        ((), "a", Verdict.RUN),
        ((started("a"),), "a", Verdict.RUN),
        ((started("a"), ended("a")), "a", Verdict.REPEAT),
        ((WAITING,), "a", Verdict.WAIT),
        ((WAITING, j.StepResumed(step_id="a", attempt=2)), "a", Verdict.DROP),
        ((FINISHED,), "a", Verdict.DROP),
        ((control("cancel"),), "a", Verdict.DROP),
        (FAILED, "c", Verdict.DROP),
        ((*FAILED, started("c")), "c", Verdict.ABANDON),
        ((started("a"),) * 3, "a", Verdict.GIVE_UP),
    ],
)
def test_what_a_worker_does_with_a_step(entries, step, verdict):
    assert admit(planned(*entries), command(step), most_starts=3) is verdict
