import random
from datetime import date, datetime, timedelta

import pytest

from services.router.monitor.month import Now, month_end, quantile

NOON = datetime(2026, 11, 20, 12)


def end(values, so_far: float = 0.0, at: datetime = NOON, today: float = 0.0):
    return month_end("calls", values, Now(at, so_far, today))


def test_steady_days_end_at_what_is_known_with_the_rest_of_today_and_the_days_left():
    found = end([100.0] * 20, so_far=1950.0, today=50.0)
    assert (found.expected, found.low, found.high) == (3000.0, 3000.0, 3000.0)
    assert end([100.0] * 20, so_far=2000.0, today=120.0).expected == 3000.0


def test_with_few_days_nothing_is_foretold():
    found = end([5.0] * 4, so_far=7.0)
    assert (found.so_far, found.expected, found.low) == (7.0, None, None)


def test_a_month_begins_with_the_days_of_the_one_before():
    assert end([10.0] * 9, at=datetime(2026, 12, 1)).expected == pytest.approx(310)


def test_the_last_day_is_not_over_before_it_is():
    found = end([100.0] * 9, so_far=1.0, today=1.0, at=datetime(2026, 11, 30, 0, 6))
    assert found.expected == pytest.approx(100, abs=1)


def test_a_sure_trend_goes_on_and_chance_does_not():
    rising = end([float(n) for n in range(1, 21)], at=datetime(2026, 11, 28), today=21.0)
    assert rising.expected == pytest.approx(22 + 23, abs=0.5)
    seeded = random.Random(4)
    flat = end([seeded.gauss(100, 20) for _ in range(20)], today=100.0)
    assert flat.expected == pytest.approx(1000, rel=0.1)


def test_weekends_are_as_weekends_were():
    days = [date(2026, 11, 20) - timedelta(days=n) for n in range(28, 0, -1)]
    found = end([0.0 if day.weekday() >= 5 else 100.0 for day in days], today=100.0)
    assert found.expected == pytest.approx(600)


def test_one_wild_day_bends_little_and_several_are_how_it_goes():
    steady = [90.0, 110.0] * 10
    assert end([*steady[:-1], 9000.0], today=100.0).expected < 1300
    assert end([*steady[:-6], *[9000.0] * 6], today=2000.0).expected > 10_000


@pytest.mark.parametrize("count", [5, 10, 28])
def test_the_range_holds_what_comes_about_nineteen_times_of_twenty(count):
    seeded, held = random.Random(count), 0
    for _ in range(300):
        values = [seeded.gauss(100, 20) for _ in range(count)]
        found = end(values, today=100.0, at=datetime(2026, 11, 10, 23, 59))
        held += found.low <= sum(seeded.gauss(100, 20) for _ in range(20)) <= found.high
    assert 0.85 < held / 300 <= 1


@pytest.mark.parametrize(("freedom", "exact"), [(3, 3.182), (4, 2.776), (10, 2.228), (27, 2.052)])
def test_the_quantiles_are_students(freedom, exact):
    assert quantile(freedom) == pytest.approx(exact, abs=0.06)
