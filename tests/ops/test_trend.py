import random
from collections import deque

import pytest

from services.ops.trend import Memory, slope

MB = 1_000_000
CAP = 400 * MB


def beats(*samples: float, uptime_s: float = 1.0) -> Memory:
    memory = Memory()
    for second, rss in enumerate(samples):
        memory.take(float(second), int(rss * MB), float(second) + uptime_s)
    return memory


def test_a_leak_is_seen_before_it_reaches_the_cap():
    left_s, rising = beats(*(200 + 5 * second for second in range(30))).ends_in_s(CAP)
    assert rising == pytest.approx(5 * MB)
    assert left_s == pytest.approx(11.0)


def test_without_a_cap_there_is_nothing_to_reach():
    assert beats(*range(100, 400, 5)).ends_in_s(0) is None


def test_a_cap_that_was_too_low_from_the_start_is_told_from_a_leak():
    assert beats(*[390] * 30).never_fitted(CAP)
    assert not beats(*(200 + 5 * second for second in range(40))).never_fitted(CAP)
    assert not beats(*[390] * 30).never_fitted(0)
    assert not beats(*[390] * 30, uptime_s=3600.0).never_fitted(CAP)  # nobody saw its start


def test_a_start_that_grows_below_half_of_the_cap_is_no_leak():
    assert beats(*range(60, 190, 3)).ends_in_s(CAP) is None


def test_spikes_and_noise_are_no_slope():
    chance = random.Random(5)
    noisy = [250 + chance.uniform(-20, 20) for _ in range(60)]
    noisy[10] = noisy[40] = 340
    assert beats(*noisy).ends_in_s(CAP) is None


def test_nothing_is_extrapolated_further_than_it_was_seen():
    assert beats(*(250 + 0.1 * second for second in range(60))).ends_in_s(CAP) is None


def test_a_slow_leak_shows_in_the_long_window():
    memory = beats(*(210 + 0.08 * second for second in range(1800)))
    left_s, rising = memory.ends_in_s(CAP)
    assert rising == pytest.approx(0.08 * MB, rel=0.01)
    assert left_s < 1800


def test_nine_tenths_of_the_cap_leave_no_time():
    assert beats(365).ends_in_s(CAP) == (0.0, 0.0)


def test_the_slope_is_robust_against_a_third_of_wrong_samples():
    line = deque((float(t), 10 * t if t % 3 else 5000) for t in range(30))
    assert slope(line) == pytest.approx(10, abs=1)
