from datetime import timedelta
from decimal import Decimal

import pytest

from services.agents.decide import decide
from shared.events import journal as j
from shared.events.base import Reason
from shared.events.tasks import TaskState
from tests.agents.test_fold import START, answered, control, ended, planned, record, started

SOON = START + timedelta(seconds=1)


def names(steps):
    return [step.step.id for step in steps]


def test_a_new_task_is_planned():
    assert decide(record(), SOON).plan


def test_ready_steps_are_handed_out():
    assert names(decide(planned(), SOON).dispatch) == ["a"]
    assert names(decide(planned(started("a"), ended("a")), SOON).dispatch) == ["b", "c"]


@pytest.mark.parametrize("approval", [True, ["builder"], ["a"]])
def test_a_person_is_asked_first_where_the_task_wants_it(approval):
    move = decide(planned(approval=approval), SOON)
    assert (names(move.ask), names(move.dispatch)) == (["a"], [])


def test_a_guarded_agent_always_asks():
    assert names(decide(planned(), SOON, {"builder"}).ask) == ["a"]


def test_an_approved_step_runs():
    waiting = j.StepWaiting(
        step_id="a", attempt=1, reason=Reason(code="approval", message="who says so?")
    )
    move = decide(planned(waiting, control("approve", "a"), approval=True), SOON)
    assert names(move.dispatch) == ["a"]


def test_a_failure_waits_for_what_still_runs_and_starts_nothing_new():
    failed = (started("a"), ended("a"), started("b"), started("c"), ended("b", TaskState.FAILED))
    assert decide(planned(*failed), SOON) == decide(record(j.TaskFinished(state="done")), SOON)
    assert decide(planned(*failed, ended("c")), SOON).finish.state is TaskState.FAILED


@pytest.mark.parametrize(
    ("action", "state"), [("cancel", TaskState.CANCELLED), ("reject", TaskState.REJECTED)]
)
def test_a_persons_no_ends_the_task(action, state):
    assert decide(planned(control(action)), SOON).finish.state is state


@pytest.mark.parametrize(
    ("budget", "field"),
    [
        ({"tokens": 4}, "budget.tokens"),
        ({"seconds": 0.5}, "budget.seconds"),
        ({"steps": 2}, "budget.steps"),
    ],
)
def test_the_first_limit_reached_ends_the_task_and_is_named(budget, field):
    finish = decide(planned(started("a"), answered("a", "1.1"), budget=budget), SOON).finish
    assert (finish.reason.code, finish.reason.field) == ("budget_exhausted", field)


def test_work_that_is_done_is_done_however_late():
    done = [e for name in "abc" for e in (started(name), ended(name))]
    assert decide(planned(*done, deadline=START), SOON).finish.state is TaskState.DONE


def test_a_paused_task_stands_still():
    assert decide(planned(control("pause")), SOON).dispatch == ()
    assert names(decide(planned(control("pause"), control("resume")), SOON).dispatch) == ["a"]


def test_money_is_a_limit_too_and_what_has_no_price_costs_nothing():
    free = answered("a", "1.1")
    dear = free.model_copy(
        update={"reply": free.reply.model_copy(update={"cost_usd": Decimal("0.02")})}
    )
    finish = decide(planned(started("a"), dear, budget={"usd": "0.01"}), SOON).finish
    assert (finish.reason.code, finish.reason.field) == ("budget_exhausted", "budget.usd")
    assert decide(planned(started("a"), free, budget={"usd": "0.01"}), SOON).finish is None
