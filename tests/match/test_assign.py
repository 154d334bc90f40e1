import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from services.match import assign, pairing, sieve
from services.match.bulk import Block
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


def blocks(total, client, provider, chunk=40):
    """Return a source of blocks, as scoring gives them."""

    def source():
        for first in range(0, len(total), chunk):
            own = slice(first, first + chunk)
            rows = np.arange(first, first + len(total[own]), dtype=np.int32)
            columns = np.arange(total.shape[1], dtype=np.int32)
            allowed = np.where(total[own] > 0, client[own], 0).astype(np.float32)
            sure = np.zeros(allowed.shape, np.uint16)
            yield Block(rows, columns, allowed, provider[own], sure)

    return source


def paired(total, client, provider, row_places=None, column_places=None):
    rows, columns = total.shape
    row_places = ones(rows) if row_places is None else row_places
    column_places = ones(columns) if column_places is None else column_places
    return pairing.pair(blocks(total, client, provider), row_places, column_places)


@pytest.mark.parametrize(("rows", "columns", "seed"), [(300, 300, 1), (200, 350, 2), (350, 200, 3)])
@pytest.mark.parametrize("kept", [30_000_000, 0])
def test_large_pools_come_within_a_thousandth(monkeypatch, rows, columns, seed, kept):
    total, client, provider = market(rows, columns, seed)
    total[total < 0.4] = 0.0
    monkeypatch.setattr(sieve, "BEST", 20)
    monkeypatch.setattr(pairing, "MOST_KEPT", kept)
    found = paired(total, client, provider)
    at, to = linear_sum_assignment(total, maximize=True)
    pairs, best = found.pairs, total[at, to].sum()
    worth = total[pairs.rows, pairs.columns].sum()
    assert 0.999 * best <= worth <= best + 1e-3
    assert best - 1e-3 <= found.at_most <= 1.002 * best
    assert len(set(pairs.rows.tolist())) == len(set(pairs.columns.tolist())) == len(pairs.rows)
    allowed = np.where(total > 0, client, 0.0)
    assert found.blocking == blocking(allowed, provider, pairs, ones(rows), ones(columns))


@pytest.mark.parametrize("rows", [300, 600])
def test_a_large_pool_where_all_are_alike_leaves_nobody_alone(monkeypatch, rows):
    alike = np.full((rows, 300), 0.5, np.float32)
    monkeypatch.setattr(pairing, "ROUNDS", 100)
    found = paired(alike, alike, alike)
    assert len(found.pairs.rows) == 300
    assert found.values.total.sum() == pytest.approx(150.0)
    assert found.at_most == pytest.approx(150.0, rel=1e-3)


def test_pairs_that_were_left_out_at_first_are_found_by_their_price(monkeypatch):
    total, client, provider = market(120, 120, 6)
    monkeypatch.setattr(sieve, "BEST", 5)
    monkeypatch.setattr(pairing, "PASSES", 0)
    before = paired(total, client, provider)
    monkeypatch.setattr(pairing, "PASSES", 5)
    after = paired(total, client, provider)
    at, to = linear_sum_assignment(total, maximize=True)
    assert before.values.total.sum() < after.values.total.sum()
    assert after.values.total.sum() >= 0.999 * total[at, to].sum()


def test_the_same_pool_gives_the_same_pairs():
    every = market(200, 200, 8)
    one, other = paired(*every), paired(*every)
    assert one.pairs.columns.tolist() == other.pairs.columns.tolist()
    assert (one.blocking, one.at_most) == (other.blocking, other.at_most)
    assert one.pairs.method.startswith("auction, best 32 of both sides; at least 99.")


@pytest.mark.parametrize("rounds", [0, 5, 400])
def test_shortest_paths_place_whom_the_auction_leaves_waiting(monkeypatch, rounds):
    total, client, provider = market(60, 20)
    places = np.arange(20) % 4
    monkeypatch.setattr(pairing, "ROUNDS", rounds)
    found = paired(total, client, provider, None, places)
    assert (np.bincount(found.pairs.columns, minlength=20) <= places).all()
    best = assign.optimal(total, ones(60), places)
    worth = total[best.rows, best.columns].sum()
    assert found.values.total.sum() == pytest.approx(worth, rel=1e-3)
    assert found.at_most >= worth - 1e-3


def test_large_pools_keep_capacities_and_openings():
    total, client, provider = market(60, 20)
    places = np.arange(20) % 4
    wanted = 1 + np.arange(60) % 2
    found = paired(total, client, provider, wanted, places).pairs
    assert (np.bincount(found.columns, minlength=20) <= places).all()
    assert (np.bincount(found.rows, minlength=60) <= wanted).all()
    exact = assign.optimal(total, wanted, places)
    worth = [total[p.rows, p.columns].sum() for p in (found, exact)]
    assert worth[0] >= 0.99 * worth[1]


def test_a_market_without_any_allowed_pair_leaves_all_alone():
    nobody = np.zeros((5, 5), np.float32)
    found = paired(nobody, nobody, nobody)
    assert (len(found.pairs.rows), found.blocking) == (0, 0)


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
