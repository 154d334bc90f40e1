"""Near-optimal pairs of a large, sparse market, by auction (Bertsekas 1988).

Each need without a place bids for the provider that is worth most to it above the price, and bids
so much that the second best would be as good, plus `STEP`. A provider holds as many of the highest
bids as it has places; its price is the lowest of them once all are held, and nothing before. Who
gains nothing at today's prices stays alone: prices never fall. The sum of totals is then within
`STEP` a pair of the optimum. All bid at the same time: a round is a few passes over arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP = 3e-4
"""What a bid is raised by at least: a pair may be worth so much less than in the optimum."""

Array = NDArray[Any]


class Endless(Exception):
    """The prices climb for too long: more want what is alike than there is of it."""


@dataclass(frozen=True)
class Edges:
    """Allowed pairs by row, then column; `starts` has one more entry than there are rows."""

    starts: Array
    columns: Array
    totals: Array


def edges(rows: Array, columns: Array, totals: Array, count: int) -> Edges:
    """Return the pairs sorted by row, then column; `count` is how many rows there are."""
    order = np.lexsort((columns, rows))
    starts = np.searchsorted(rows[order], np.arange(count + 1))
    return Edges(starts, columns[order].astype(np.int64), totals[order].astype(np.float64))


def auction(market: Edges, places: Array, rounds: int = -1) -> Array:
    """Return the column of each row, -1 for who stays alone; `places` is how many a column has.

    Raises `Endless` when `rounds` of them, if given, did not end it.
    """
    held = _Held(len(market.starts) - 1, places.astype(np.int64))
    waiting = np.flatnonzero(np.diff(market.starts))
    count = 0
    while len(waiting):
        if count == rounds:
            raise Endless
        waiting = held.take(*_bids(market, held.prices, waiting))
        count += 1
    return held.columns


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


class _Held:
    """The bids that columns hold: each row's column and bid, and today's prices."""

    def __init__(self, rows: int, places: Array) -> None:
        self.columns = np.full(rows, -1, np.int64)
        self._bids = np.zeros(rows)
        self._places = places
        self.prices = np.where(places > 0, 0.0, np.inf)

    def take(self, rows: Array, columns: Array, bids: Array) -> Array:
        """Let columns keep their highest bids; return the rows that go away with nothing."""
        if not len(rows):
            return rows
        wanted = np.zeros(len(self._places), np.bool_)
        wanted[columns] = True
        before = np.flatnonzero((self.columns >= 0) & wanted[self.columns])
        rows = np.concatenate([before, rows])
        columns = np.concatenate([self.columns[before], columns])
        bids = np.concatenate([self._bids[before], bids])
        order = np.lexsort((rows, -bids, columns))
        rows, columns, bids = rows[order], columns[order], bids[order]
        rank = np.arange(len(rows)) - np.searchsorted(columns, columns)
        kept = rank < self._places[columns]
        self.columns[rows[~kept]] = -1
        self.columns[rows[kept]], self._bids[rows[kept]] = columns[kept], bids[kept]
        full = rank == self._places[columns] - 1
        self.prices[columns[full]] = bids[full]
        return np.sort(rows[~kept])
