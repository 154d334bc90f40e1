from datetime import UTC, datetime, timedelta

from services.agents.fold import extend, fold
from shared.events import journal as j
from shared.events.base import Reason
from shared.events.models import ChatReply
from shared.events.tasks import (
    Plan,
    PlanStep,
    Priority,
    StepResult,
    TaskControl,
    TaskRequest,
    TaskState,
)  # fmt: skip

START = datetime(2026, 1, 1, tzinfo=UTC)
NEEDS = {"a": (), "b": ("a",), "c": ("a",)}
PLAN = Plan(
    origin="rule",
    steps=tuple(
        PlanStep(id=name, agent="builder", title=name, instruction="Do it.", depends_on=needs)
        for name, needs in NEEDS.items()
    ),
)


def queued(**more):
    request = TaskRequest(task_id="t", title="x", **more)
    return j.TaskQueued(request=request, priority=Priority.LOW, at=START)


def started(step, attempt=1, worker="w"):
    return j.StepStarted(step_id=step, attempt=attempt, worker=worker, host="h")


def ended(step, state=TaskState.DONE, attempt=1):
    result = StepResult(task_id="t", step_id=step, agent="builder", title=step, state=state,
                        attempt=attempt)  # fmt: skip
    kind = "step_finished" if state is TaskState.DONE else "step_failed"
    return j.StepEnded(kind=kind, result=result)


def answered(step, key, tokens=5):
    reply = ChatReply(request_id="r", content="x", engine="ollama", model="m", is_llm=True,
                      completion_tokens=tokens)  # fmt: skip
    return j.ModelAnswered(step_id=step, key=key, reply=reply)


def control(action, step=None):
    return j.ControlReceived(control=TaskControl(action=action, task_id="t", step=step))


def record(*entries, **more):
    return fold("t", enumerate((queued(**more), *entries), start=1))


def planned(*entries, **more):
    return record(j.TaskPlanned(plan=PLAN), *entries, **more)


def test_nothing_folds_into_nothing():
    assert fold("t", []) is None


def test_a_task_goes_from_queued_to_done():
    states = [
        record().state,
        planned(started("a")).state,
        planned(started("a"), ended("a"), j.TaskFinished(state=TaskState.DONE)).state,
    ]
    assert states == [TaskState.QUEUED, TaskState.RUNNING, TaskState.DONE]


def test_folding_in_two_parts_is_folding_once():
    entries = list(
        enumerate([queued(), j.TaskPlanned(plan=PLAN), started("a"), ended("a")], start=1)
    )
    for cut in range(1, len(entries)):
        first = extend(None, "t", entries[:cut])
        assert extend(first, "t", entries[cut:]) == fold("t", entries)


def test_the_owner_is_the_sequence_of_the_last_start():
    step = planned(started("a", worker="old"), started("a", worker="new")).steps["a"]
    assert (step.owner, step.worker, step.starts) == (4, "new", 2)


def test_a_step_given_back_counts_no_start():
    released = j.StepReleased(step_id="a", attempt=1)
    step = planned(started("a"), released).steps["a"]
    assert (step.owner, step.starts, step.state) == (None, 0, TaskState.QUEUED)


def test_steps_are_ready_when_what_they_need_is_done():
    assert [step.step.id for step in planned().ready()] == ["a"]
    assert [step.step.id for step in planned(started("a"), ended("a")).ready()] == ["b", "c"]


def test_a_resumed_step_is_the_next_attempt():
    reason = Reason(code="needs_model", message="none")
    waiting = j.StepWaiting(step_id="a", attempt=1, reason=reason)
    assert planned(waiting).state is TaskState.WAITING
    step = planned(waiting, j.StepResumed(step_id="a", attempt=2)).steps["a"]
    assert (step.attempt, step.state, step.waiting) == (2, TaskState.QUEUED, None)


def test_a_retry_opens_what_is_not_done_and_keeps_what_is_paid():
    failed = (
        started("a"), answered("a", "1.1"), ended("a"), started("b"),
        ended("b", TaskState.FAILED), j.TaskFinished(state=TaskState.FAILED),
    )  # fmt: skip
    again = planned(*failed, control("retry"))
    attempts = {name: step.attempt for name, step in again.steps.items()}
    assert (attempts, again.run, again.end) == ({"a": 1, "b": 2, "c": 2}, 2, None)
    assert again.usage().completion_tokens == 5


def test_a_retry_from_a_step_takes_all_behind_it():
    done = [entry for name in NEEDS for entry in (started(name), ended(name))]
    again = planned(*done, j.TaskFinished(state=TaskState.DONE), control("retry", "a"))
    assert {step.state for step in again.steps.values()} == {TaskState.QUEUED}


def test_the_deadline_is_the_earlier_of_two():
    budget = {"seconds": 60}
    late = START + timedelta(hours=1)
    assert record(budget=budget, deadline=late).deadline == START + timedelta(seconds=60)
    assert record().deadline is None


def test_a_retried_task_that_was_never_planned_waits_for_others_again():
    waiting = j.TaskWaiting(reason=Reason(code="depends_on", message="a"))
    retry = TaskControl(action="retry", task_id="t")
    words = [queued(), waiting, j.TaskFinished(state=TaskState.FAILED)]
    record = fold("t", enumerate([*words, j.ControlReceived(control=retry)], start=1))
    assert (record.run, record.waited) == (2, frozenset())
