import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from services.match import assign, pairing
from services.match.auction import edges
from services.match.bulk import Scored
from services.match.sparse import exact
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


def lists(total, client, provider, chunk=40):
    """Return a source of allowed pairs, as scoring gives them."""

    def source():
        for first in range(0, len(total), chunk):
            at, to = np.nonzero(total[first : first + chunk])
            cells = (at + first, to)
            yield Scored(
                cells[0].astype(np.int32), to.astype(np.int32), total[cells], client[cells],
                provider[cells], client[cells],
            )  # fmt: skip

    return source


@pytest.mark.parametrize(("rows", "columns", "seed"), [(300, 300, 1), (200, 350, 2), (350, 200, 3)])
@pytest.mark.parametrize("kept", [4_000_000, 9_000])
def test_large_pools_come_within_a_thousandth(monkeypatch, rows, columns, seed, kept):
    total, client, provider = market(rows, columns, seed)
    total[total < 0.4] = 0.0
    monkeypatch.setattr(pairing, "MOST_KEPT", kept)
    found = pairing.pair(lists(total, client, provider), ones(rows), ones(columns))
    at, to = linear_sum_assignment(total, maximize=True)
    pairs = found.pairs
    assert total[pairs.rows, pairs.columns].sum() >= 0.999 * total[at, to].sum()
    assert len(set(pairs.rows.tolist())) == len(set(pairs.columns.tolist())) == len(pairs.rows)
    allowed = np.where(total > 0, client, 0.0)
    assert found.blocking == blocking(allowed, provider, pairs, ones(rows), ones(columns))


@pytest.mark.parametrize("rows", [300, 600])
def test_a_large_pool_where_all_are_alike_leaves_nobody_alone(monkeypatch, rows):
    alike = np.full((rows, 300), 0.5, np.float32)
    monkeypatch.setattr(pairing, "MOST_KEPT", 9_000)
    monkeypatch.setattr(pairing, "ROUNDS", 100)
    found = pairing.pair(lists(alike, alike, alike), ones(rows), ones(300))
    assert len(found.pairs.rows) == 300
    assert found.values.total.sum() == pytest.approx(150.0)


def test_the_exact_way_keeps_places_like_the_auction():
    total, client, provider = market(60, 20)
    scored = next(iter(lists(total, client, provider, 60)()))
    listed = edges(scored.rows, scored.columns, scored.total, 60)
    places = np.arange(20) % 4
    columns = exact(listed, places)
    kept = columns >= 0
    assert (np.bincount(columns[kept], minlength=20) <= places).all()
    best = assign.optimal(total, ones(60), places)
    worth = [total[kept, columns[kept]].sum(), total[best.rows, best.columns].sum()]
    assert worth[0] == pytest.approx(worth[1], rel=1e-6)


def test_large_pools_keep_capacities_and_openings():
    total, client, provider = market(60, 20)
    places = np.arange(20) % 4
    wanted = 1 + np.arange(60) % 2
    found = pairing.pair(lists(total, client, provider), wanted, places).pairs
    assert (np.bincount(found.columns, minlength=20) <= places).all()
    assert (np.bincount(found.rows, minlength=60) <= wanted).all()
    exact = assign.optimal(total, wanted, places)
    worth = [total[p.rows, p.columns].sum() for p in (found, exact)]
    assert worth[0] >= 0.99 * worth[1]


def test_a_market_without_any_allowed_pair_leaves_all_alone():
    nobody = np.zeros((5, 5), np.float32)
    found = pairing.pair(lists(nobody, nobody, nobody), ones(5), ones(5))
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
