from services.ops.answering import WINDOW, Answering
from tests.ops.beating import beat


def told(answering: Answering, beats: int, per_beat: int, took_s: float, faults: int = 0) -> None:
    """Add beats of a service that answers `per_beat` requests in each, `took_s` seconds long."""
    last = getattr(answering, "last", beat(seq=0))
    for _ in range(beats):
        last = last.model_copy(
            update={
                "seq": last.seq + 1,
                "requests": last.requests + per_beat,
                "faults": last.faults + faults,
                "busy_s": last.busy_s + per_beat * took_s,
            }
        )
        answering.take(last)
    answering.last = last


def usual() -> Answering:
    answering = Answering()
    told(answering, 5 * WINDOW, 2, 0.1)
    return answering


def test_a_service_that_answers_as_always_is_well():
    answering = usual()
    assert answering.slow() is None
    assert answering.faulty() is None


def test_answers_that_take_ten_times_as_long_are_slow():
    answering = usual()
    told(answering, WINDOW, 2, 1.5)
    assert answering.slow() == {"requests": 60, "mean_s": 1.5, "usual_s": 0.1}


def test_what_is_slow_does_not_become_usual():
    answering = usual()
    told(answering, 20 * WINDOW, 2, 1.5)
    assert answering.slow()["usual_s"] == 0.1


def test_a_few_requests_prove_nothing():
    answering = Answering()
    told(answering, WINDOW, 0, 0.0)
    told(answering, 1, 9, 30.0, faults=9)
    assert answering.slow() is None
    assert answering.faulty() is None


def test_most_answers_failing_by_own_fault_is_degraded():
    answering = Answering()
    told(answering, WINDOW, 1, 0.1, faults=1)
    assert answering.faulty() == {"requests": 30, "faults": 30}


def test_after_a_remedy_only_what_comes_later_counts():
    answering = usual()
    told(answering, WINDOW, 2, 1.5)
    answering.forget()
    assert answering.slow() is None
