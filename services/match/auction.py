"""Near-optimal pairs of a large market in lists, by auction (Bertsekas 1988).

Each need without a place bids for the provider that is worth most to it above the price, and bids
so much that the second best would be as good, plus `STEP`. A provider holds as many of the highest
bids as it has places; its price is the lowest of them once all are held, and nothing before. Who
gains nothing at today's prices stays alone: prices never fall. The sum of totals is then within
`STEP` a pair of the optimum. All bid at the same time: a round is a few passes over arrays. Where
as many want as there are places, the last few bid for thousands of rounds: `paths` places those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP = 3e-4
"""What a bid is raised by at least: a pair may be worth so much less than in the optimum."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Edges:
    """Allowed pairs by row, then column; `starts` has one more entry than there are rows."""

    starts: Array
    rows: Array
    columns: Array
    totals: Array


def edges(rows: Array, columns: Array, totals: Array, count: int) -> Edges:
    """Return the pairs sorted by row, then column; `count` is how many rows there are."""
    order = np.lexsort((columns, rows))
    rows = rows[order]
    starts = np.searchsorted(rows, np.arange(count + 1))
    return Edges(starts, rows, columns[order].astype(np.int64), totals[order].astype(np.float64))


def auction(market: Edges, held: Held, waiting: Array, rounds: int) -> Array:
    """Let the waiting rows bid, at most so many rounds; return those that still wait.

    Rows for whom nothing is worth its price stay alone, and wait no more.
    """
    for _ in range(rounds):
        if not len(waiting):
            break
        waiting = held.take(*_bids(market, held.prices, waiting))
    return waiting


def _bids(market: Edges, prices: Array, rows: Array) -> tuple[Array, Array, Array]:
    """Return rows, columns and bids of those for whom anything is worth its price."""
    lengths = market.starts[rows + 1] - market.starts[rows]
    ends = np.cumsum(lengths)
    begins = ends - lengths
    at = np.repeat(market.starts[rows] - begins, lengths) + np.arange(ends[-1])
    profit = market.totals[at] - prices[market.columns[at]]
    best = np.maximum.reduceat(profit, begins)
    top = _first(profit == np.repeat(best, lengths), begins)
    profit[top] = -np.inf
    second = np.maximum(np.maximum.reduceat(profit, begins), 0.0)
    columns = market.columns[at[top]]
    gains = best > 0
    return rows[gains], columns[gains], (prices[columns] + best - second + STEP)[gains]


def _first(hits: Array, begins: Array) -> Array:
    """Return the first hit of each segment; each has one."""
    found = np.flatnonzero(hits)
    return found[np.searchsorted(found, begins)]


class Held:
    """The bids that columns hold: each row's column, -1 for none, and today's prices.

    A column without a place has a price without end.
    """

    def __init__(self, rows: int, places: Array) -> None:
        self.columns = np.full(rows, -1, np.int64)
        self.places = places.astype(np.int64)
        self.prices = np.where(places > 0, 0.0, np.inf)
        self._bids = np.zeros(rows)

    def room(self) -> Array:
        """Return how many places each column has left."""
        taken = np.bincount(self.columns[self.columns >= 0], minlength=len(self.places))
        left: Array = self.places - taken
        return left

    def reprice(self, prices: Array) -> None:
        """Set all prices; what rows hold, they hold at the price."""
        self.prices = prices
        rows = np.flatnonzero(self.columns >= 0)
        self._bids[rows] = prices[self.columns[rows]]

    def take(self, rows: Array, columns: Array, bids: Array) -> Array:
        """Let columns keep their highest bids; return the rows that go away with nothing."""
        if not len(rows):
            return rows
        wanted = np.zeros(len(self.places), np.bool_)
        wanted[columns] = True
        before = np.flatnonzero((self.columns >= 0) & wanted[self.columns])
        rows = np.concatenate([before, rows])
        columns = np.concatenate([self.columns[before], columns])
        bids = np.concatenate([self._bids[before], bids])
        order = np.lexsort((rows, -bids, columns))
        rows, columns, bids = rows[order], columns[order], bids[order]
        rank = np.arange(len(rows)) - np.searchsorted(columns, columns)
        kept = rank < self.places[columns]
        self.columns[rows[~kept]] = -1
        self.columns[rows[kept]], self._bids[rows[kept]] = columns[kept], bids[kept]
        full = rank == self.places[columns] - 1
        self.prices[columns[full]] = bids[full]
        return np.sort(rows[~kept])
