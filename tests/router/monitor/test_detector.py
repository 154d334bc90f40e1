import random

import pytest

from benchmarks.router_anomalies import begun, outcomes, times
from services.router.monitor.detector import LEARN, WINDOW, Detector, ErrorDetector, Window


def steady(seed: int, count: int = 600) -> list[float]:
    dice = random.Random(seed)
    return [0.02 * dice.lognormvariate(0, 0.3) for _ in range(count)]


def test_the_window_knows_its_median_and_spread_and_is_bounded():
    window = Window()
    for n in range(1000):
        window.add(float(n))
    assert len(window) == WINDOW
    assert window.median == pytest.approx(1000 - WINDOW / 2, abs=8)


def test_single_slow_calls_are_no_anomaly():
    values = steady(1)
    values[100::50] = [9.0] * len(values[100::50])
    assert begun(Detector(), values) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_level_that_doubles_is_found_and_ends(seed):
    values = steady(seed)
    values[300:380] = [2 * value for value in values[300:380]]
    detector = Detector()
    assert [300 <= n < 345 for n in begun(detector, values)] == [True]
    assert not detector.abnormal


def test_a_level_that_stays_becomes_the_usual_one():
    values = steady(3) + [4 * value for value in steady(4, 900)]
    detector = Detector()
    assert len(begun(detector, values)) == 1
    assert not detector.abnormal
    assert detector.usual == pytest.approx(0.08, rel=0.2)


def test_nothing_is_judged_before_enough_is_known():
    assert begun(Detector(), [0.01] * 10 + [5.0] * (LEARN - 10)) == []


def test_errors_that_come_often_are_found_and_a_steady_few_are_not():
    dice = random.Random(5)
    few = [dice.random() < 0.02 for _ in range(3000)]
    assert begun(ErrorDetector(), few) == []
    many = few[:500] + [True, False, False] * 10 + [False] * 200
    detector = ErrorDetector()
    assert [500 <= n < 530 for n in begun(detector, many)] == [True]
    assert not detector.abnormal


def test_most_injected_faults_are_found_and_few_others():
    found = total = false = 0
    for seed in range(200, 212):
        for detector, (values, faults) in (
            (Detector(), times(seed)),
            (ErrorDetector(), outcomes(seed)),
        ):
            starts = begun(detector, values)
            hits = [n for n in starts if any(a <= n <= b + 20 for _, a, b in faults)]
            found, total = found + bool(hits), total + len(faults)
            false += len(starts) - len(hits)
    assert found >= 0.9 * total
    assert false <= 2
