from datetime import timedelta

import pytest

from services.dashboard.crew import Crew
from services.dashboard.pages.steps import steps_card
from services.dashboard.pages.tasklist import took
from shared.clock import now
from tests.dashboard.test_crew import view

START = now() - timedelta(hours=1)


def step(number: int, start: float, end: float | None, state: str = "done") -> dict:
    """Return a step worked on from `start` to `end`, in seconds after START."""
    times = {"started_at": START + timedelta(seconds=start)}
    if end is not None:
        times["finished_at"] = START + timedelta(seconds=end)
    return {"id": f"s{number}", "agent": "builder", "title": "x", "state": state, **times}


def seen(state: str, *steps: dict) -> float | None:
    end = START + timedelta(seconds=1000)
    return took(view("t1", state, created_at=START, updated_at=end, steps=steps))


def test_waits_between_steps_do_not_count():
    assert seen("done", step(1, 0, 2), step(2, 600, 603)) == pytest.approx(5)


def test_steps_at_the_same_time_count_once():
    assert seen("done", step(1, 0, 10), step(2, 5, 12), step(3, 6, 7)) == pytest.approx(12)


def test_a_waiting_step_takes_no_time():
    assert seen("waiting", step(1, 0, 2), step(2, 10, None, "waiting")) == pytest.approx(2)


def test_a_running_step_counts_until_now_and_a_cancelled_one_until_the_end():
    assert seen("running", step(1, 0, None, "running")) >= 3600
    assert seen("cancelled", step(1, 0, None, "running")) == pytest.approx(1000)


def test_nothing_is_known_before_the_first_step():
    assert seen("queued") is None
    assert seen("rejected") == pytest.approx(1000)


def test_a_waiting_step_has_no_seconds_on_the_page_of_its_task():
    waiting = view("t1", "waiting", created_at=START, steps=[step(1, 0, None, "waiting")])
    html = steps_card(waiting, None, Crew())
    assert " min" not in html
