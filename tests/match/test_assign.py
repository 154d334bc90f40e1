import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from services.match import assign
from services.match.stable import blocking, stable


def market(rows: int, columns: int, seed: int = 5):
    dice = np.random.default_rng(seed)
    client, provider = dice.random((2, rows, columns), dtype=np.float32)
    return 2 * client * provider / (client + provider), client, provider


def ones(count: int):
    return np.ones(count, np.int64)


def test_small_pools_are_paired_at_the_optimum():
    total, _, _ = market(60, 50)
    found = assign.optimal(total, ones(60), ones(50))
    at, to = linear_sum_assignment(total, maximize=True)
    assert total[found.rows, found.columns].sum() == pytest.approx(total[at, to].sum())


def test_large_pools_come_within_a_thousandth(monkeypatch):
    total, _, _ = market(400, 400)
    monkeypatch.setattr(assign, "DENSE", 100)
    found = assign.optimal(total, ones(400), ones(400))
    at, to = linear_sum_assignment(total, maximize=True)
    assert found.method == "best 50 of both sides"
    assert total[found.rows, found.columns].sum() >= 0.999 * total[at, to].sum()


def test_capacities_and_openings_are_kept():
    total, _, _ = market(10, 3)
    places = np.array([2, 0, 4])
    found = assign.optimal(total, ones(10), places)
    assert (np.bincount(found.columns, minlength=3) <= places).all()
    assert len(found.rows) == 6


def test_a_forbidden_pair_stays_apart():
    total = np.array([[0.9, 0.0], [0.8, 0.0]], np.float32)
    found = assign.optimal(total, ones(2), ones(2))
    assert (found.rows.tolist(), found.columns.tolist()) == ([0], [0])


@pytest.mark.parametrize("places", [1, 3])
def test_stable_pairs_leave_nobody_who_would_rather(places):
    _, client, provider = market(80, 40)
    room = np.full(40, places)
    found = stable(client, provider, ones(80), room)
    assert blocking(client, provider, found, ones(80), room) == 0
    assert len(found.rows) == min(80, 40 * places)


def test_blocking_pairs_of_a_bad_pairing_are_counted():
    views = np.array([[0.9, 0.1], [0.1, 0.9]], np.float32)
    crossed = assign.Pairs(np.array([0, 1]), np.array([1, 0]), "")
    assert blocking(views, views, crossed, ones(2), ones(2)) == 2
