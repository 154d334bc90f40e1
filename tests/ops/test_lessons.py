import random

import pytest

from services.ops.lessons import Lessons, band
from shared.events import OpsEvent

ORDER = ("restart", "kill", "move")


def outcome(remedy: str, result: str, symptom: str = "hang") -> OpsEvent:
    return OpsEvent(event_id="e", kind="outcome", symptom=symptom, remedy=remedy, outcome=result)


def taught(worked: dict[str, tuple[int, int]], seed: int = 7) -> Lessons:
    lessons = Lessons(random.Random(seed))
    for remedy, (good, bad) in worked.items():
        for result, count in (("recovered", good), ("not back", bad)):
            for _ in range(count):
                lessons.learn(outcome(remedy, result))
    return lessons


def test_without_any_outcome_the_policys_order_holds():
    assert {Lessons().choose("hang", ORDER, ORDER) for _ in range(100)} == {"restart"}


def test_the_prior_trusts_the_first_most():
    found = [Lessons().expected("hang", name, place) for place, name in enumerate(ORDER)]
    assert found == [0.8, 0.5, pytest.approx(0.308, abs=0.001)]


def test_what_works_is_done_most_and_the_others_now_and_then():
    lessons = taught({"restart": (1, 6), "kill": (5, 1)})
    chosen = [lessons.choose("hang", ORDER, ORDER) for _ in range(500)]
    assert chosen.count("kill") > 350
    assert 0 < chosen.count("restart") < 100


def test_the_same_seed_draws_the_same_remedies():
    one, other = (taught({"restart": (2, 2)}, 3) for _ in range(2))
    draws = [[lessons.choose("hang", ORDER, ORDER) for _ in range(20)] for lessons in (one, other)]
    assert draws[0] == draws[1]


def test_a_command_that_was_not_done_teaches_nothing():
    lessons = Lessons()
    lessons.learn(outcome("restart", "not done: no supervisor answers"))
    lessons.learn(outcome("none", "gone"))
    assert lessons.choose("hang", ORDER, ORDER) == "restart"
    assert [one.failed for one in lessons.told([("hang", ORDER)])] == [0, 0, 0]


def test_everything_is_told_with_its_band():
    lessons = taught({"kill": (8, 0)})
    lessons.learn(outcome("restart", "recovered", "crash"))
    told = {(one.symptom, one.remedy): one for one in lessons.told([("hang", ORDER)])}
    assert set(told) == {("hang", name) for name in ORDER} | {("crash", "restart")}
    kill = told["hang", "kill"]
    assert (kill.worked, kill.alpha, kill.beta) == (8, 10.0, 2.0)
    assert 0 <= kill.low < kill.expected < kill.high <= 1


def test_a_band_narrows_with_outcomes():
    wide, narrow = band(2, 2), band(200, 200)
    assert wide[1] - wide[0] > 5 * (narrow[1] - narrow[0])
