from decimal import Decimal

import pytest

from services.router.pool.energy import Meter
from services.router.pool.speed import HALF_LIFE_S, MOST_MODELS, Speed
from tests.router.pool.test_circuit import Clock


def test_slowness_is_believed_sooner_than_speed():
    speed = Speed(Clock())
    speed.took("m", 1.0)
    speed.took("m", 2.0)
    assert speed.known("m") == 1.5
    speed.took("m", 0.5)
    assert speed.known("m") == 1.25


def test_old_slowness_is_forgiven_by_halves():
    clock = Clock()
    speed = Speed(clock)
    speed.took("m", 9.0)
    clock.now = HALF_LIFE_S
    assert speed.expected("m", 1.0) == pytest.approx(5.0)
    assert speed.expected("unknown", 1.0) == 1.0


def test_it_remembers_a_bounded_number_of_models():
    speed = Speed(Clock())
    for n in range(200):
        speed.took(f"m{n}", 1.0)
    assert len(speed.table()) == MOST_MODELS


def test_those_who_run_together_share_the_energy_of_the_busy_time():
    clock = Clock()
    meter = Meter(1000.0, Decimal("0.36"), clock)
    first = meter.begin()
    clock.now = 10.0
    second = meter.begin()
    clock.now = 30.0
    costs = (meter.end(first), meter.end(second))
    assert costs == (Decimal("0.002"), Decimal("0.001"))
    assert sum(costs) == Decimal(30) * 1000 * Decimal("0.36") / 3_600_000


def test_without_the_owners_figures_energy_is_not_counted():
    meter = Meter(None, Decimal(1), Clock())
    assert meter.end(meter.begin()) == 0
