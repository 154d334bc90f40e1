from datetime import timedelta
from decimal import Decimal

from services.agents.summary import result_of, timing_of, view_of
from shared.events import journal as j
from shared.events.tasks import TaskState
from tests.agents.test_fold import START, answered, ended, planned, record, started


def timed(step, start, end):
    entry = ended(step)
    changes = {
        "started_at": START + timedelta(seconds=start),
        "finished_at": START + timedelta(seconds=end),
        "seconds": float(end - start),
        "engine": "ollama",
        "is_llm": True,
    }
    return entry.model_copy(update={"result": entry.result.model_copy(update=changes)})


DONE = (
    started("a"), timed("a", 1, 3), started("b"), started("c"), timed("b", 3, 7), timed("c", 3, 7),
    j.TaskFinished(state=TaskState.DONE, model_slots=2),
)  # fmt: skip


def test_speedup_is_the_sum_of_steps_over_the_makespan():
    timing = timing_of(planned(*DONE))
    assert (timing.step_seconds, timing.makespan_s, timing.model_slots) == (10.0, 6.0, 2)
    assert (timing.queued_s, round(timing.speedup, 3)) == (1.0, 1.667)


def test_the_result_is_the_same_however_often_it_is_made():
    assert result_of(planned(*DONE)) == result_of(planned(*DONE))
    assert (result_of(planned(*DONE)).engine, result_of(planned(*DONE)).is_llm) == ("ollama", True)


def test_an_unknown_price_makes_the_sum_unknown():
    priced = answered("a", "1.1")
    reply = priced.reply.model_copy(update={"cost_usd": Decimal("0.5")})
    priced = priced.model_copy(update={"reply": reply})
    assert result_of(planned(started("a"), priced)).cost_usd == Decimal("0.5")
    assert result_of(planned(started("a"), priced, answered("a", "1.2"))).cost_usd is None


def test_a_task_that_ended_before_it_was_planned_has_no_answer():
    result = result_of(record(j.TaskFinished(state=TaskState.CANCELLED)))
    assert (result.answer, result.steps, result.state) == ("", (), TaskState.CANCELLED)


def test_the_view_shows_each_step_and_the_journals_sequence():
    view = view_of(planned(*DONE))
    assert [(step.id, step.state) for step in view.steps] == [(n, TaskState.DONE) for n in "abc"]
    assert view.seq == 9


def test_a_step_that_ran_when_its_task_was_cancelled_was_stopped_then():
    whole = planned(started("a"), j.TaskFinished(state=TaskState.CANCELLED))
    first, *rest = view_of(whole).steps
    assert (first.state, first.finished_at) == (TaskState.CANCELLED, whole.ended_at)
    assert first.seconds == (whole.ended_at - first.started_at).total_seconds()
    assert {step.state for step in rest} == {TaskState.QUEUED}
