import random

from services.ops.intensity import CAP_S, Intensity, backoff_s


def test_five_failures_in_the_window_are_allowed_and_the_sixth_is_not():
    intensity = Intensity(5, 30.0)
    assert [intensity.failed(float(at)) for at in range(6)] == [True] * 5 + [False]


def test_failures_leave_the_window():
    intensity = Intensity(1, 30.0)
    assert intensity.failed(0.0)
    assert intensity.failed(31.0)
    assert not intensity.failed(32.0)


def test_a_release_starts_the_count_anew():
    intensity = Intensity(1, 30.0)
    intensity.failed(0.0)
    intensity.forget()
    assert intensity.failed(1.0)


def test_the_first_restart_is_immediate_and_later_ones_are_jittered_up_to_the_cap():
    chance = random.Random(7)
    assert backoff_s(1, chance) == 0.0
    assert all(0 <= backoff_s(3, chance) <= 0.4 for _ in range(100))
    assert max(backoff_s(50, chance) for _ in range(100)) <= CAP_S
