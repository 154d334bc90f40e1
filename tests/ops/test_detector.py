import random

import pytest

from services.ops.detector import PhiDetector


def beaten(intervals: list[float], pause_s: float = 3.0) -> tuple[PhiDetector, float]:
    detector, at = PhiDetector(1.0, pause_s, 0.0), 0.0
    for interval in intervals:
        at += interval
        detector.beat(at)
    return detector, at


def silence_until(detector: PhiDetector, last: float, phi: float = 8.0) -> float:
    """Return the silence in seconds at which suspicion reaches `phi`."""
    return next(t / 100 for t in range(10_000) if detector.phi(last + t / 100) >= phi)


def test_a_regular_sender_is_suspected_between_the_pause_and_six_seconds():
    chance = random.Random(1)
    detector, last = beaten([chance.gauss(1.0, 0.02) for _ in range(100)])
    assert 3.0 < silence_until(detector, last) <= 5.0


def test_a_fresh_sender_is_suspected_within_six_seconds():
    detector = PhiDetector(1.0, 3.0, 0.0)
    assert 3.0 < silence_until(detector, 0.0) <= 6.0


@pytest.mark.parametrize("seed", range(5))
def test_a_loop_blocked_now_and_then_is_never_suspected(seed):
    chance = random.Random(seed)
    detector, at = PhiDetector(1.0, 3.0, 0.0), 0.0
    for _ in range(600):
        at += 1.0 + (2.5 if chance.random() < 0.05 else 0.0) + abs(chance.gauss(0, 0.05))
        assert detector.phi(at) < 8.0
        detector.beat(at)


def test_an_irregular_sender_is_given_more_time():
    regular = silence_until(*beaten([1.0] * 50))
    irregular = silence_until(*beaten([0.2, 1.8] * 25))
    assert irregular > regular + 1.0


def test_phi_grows_with_the_silence_and_stays_finite():
    detector, last = beaten([1.0] * 10)
    values = [detector.phi(last + t) for t in (0, 2, 4, 5, 10, 1e6)]
    assert values == sorted(values)
    assert values[-1] < float("inf")


def test_an_excuse_starts_the_silence_anew():
    detector, last = beaten([1.0] * 10)
    detector.excuse(last + 60)
    assert detector.phi(last + 61) < 1.0
    assert detector.silence(last + 61) == 1.0
