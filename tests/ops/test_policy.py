import random

import pytest

from services.ops.lessons import Lessons
from services.ops.policy import Views, decide
from shared.events import OpsEvent

WELL = Views(supervisor=True, answers=False)


def outcome(remedy: str, result: str) -> OpsEvent:
    return OpsEvent(event_id="e", kind="outcome", symptom="hang", remedy=remedy, outcome=result)


def test_the_cold_start_follows_the_policy():
    assert decide("hang", WELL, Lessons()).remedy == "restart"


def test_the_next_remedy_follows_when_one_failed():
    tried = Views(supervisor=True, answers=False, tried=("restart",))
    assert decide("hang", tried, Lessons()).remedy == "kill"


def test_when_all_was_tried_a_person_is_called():
    tried = Views(supervisor=True, answers=False, tried=("restart", "kill"))
    decision = decide("hang", tried, Lessons())
    assert (decision.remedy, decision.escalate) == ("quarantine", True)


def test_outcomes_change_the_order():
    lessons = Lessons(random.Random(1))
    for _ in range(30):
        lessons.learn(outcome("restart", "not back"))
        lessons.learn(outcome("kill", "recovered"))
    chosen = [decide("hang", WELL, lessons).remedy for _ in range(50)]
    assert chosen == ["kill"] * 50
    assert lessons.expected("hang", "kill", 1) > 0.9


def test_other_entries_teach_nothing():
    lessons = Lessons()
    lessons.learn(outcome("restart", "not back").model_copy(update={"kind": "decision"}))
    assert lessons.expected("hang", "restart") == Lessons().expected("hang", "restart")


def test_a_service_that_answers_is_left_alone():
    decision = decide("hang", Views(supervisor=True, answers=True), Lessons())
    assert decision.remedy is None
    assert not decision.escalate


def test_without_a_supervisor_a_person_is_called():
    decision = decide("hang", Views(supervisor=False, answers=False), Lessons())
    assert (decision.remedy, decision.escalate) == (None, True)


def test_too_many_remedies_end_in_quarantine():
    decision = decide("hang", Views(supervisor=True, answers=False, room=False), Lessons())
    assert decision.remedy == "quarantine"


@pytest.mark.parametrize("symptom", ["degraded", "slow_answers"])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_what_still_works_in_part_is_left_to_a_person_not_taken_down(symptom, elsewhere):
    views = Views(supervisor=True, answers=True, room=False, elsewhere=elsewhere)
    decision = decide(symptom, views, Lessons())
    assert (decision.remedy, decision.escalate) == (None, True)


def test_a_cap_that_is_too_low_is_no_reason_to_restart():
    decision = decide("memory", Views(supervisor=True, answers=True, fits=False), Lessons())
    assert (decision.remedy, decision.escalate) == (None, True)


def test_another_host_is_the_level_above_the_process():
    tried = ("restart", "kill")
    room = Views(supervisor=True, answers=False, elsewhere=True, tried=tried)
    assert decide("hang", room, Lessons()).remedy == "move"
    moved = Views(supervisor=True, answers=False, elsewhere=True, tried=(*tried, "move"))
    decision = decide("hang", moved, Lessons())
    assert (decision.remedy, decision.escalate) == ("quarantine", True)


def test_a_lost_host_is_a_matter_for_other_hosts_or_for_a_person():
    alone = Views(supervisor=False, answers=False)
    assert decide("host_lost", alone, Lessons()).remedy is None
    assert decide("host_lost", alone, Lessons()).escalate
    room = Views(supervisor=False, answers=False, elsewhere=True)
    assert decide("host_lost", room, Lessons()).remedy == "move"


def test_slow_answers_open_the_circuit_though_the_service_answers():
    views = Views(supervisor=True, answers=True)
    assert decide("slow_answers", views, Lessons()).remedy == "circuit"


def test_a_model_that_is_gone_is_no_reason_to_restart_the_router():
    assert decide("dependency_down", WELL, Lessons()).remedy is None


def test_a_slow_loop_is_only_recorded():
    assert decide("slow_loop", WELL, Lessons()).remedy is None
