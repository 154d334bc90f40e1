"""Pairs for a whole pool: the best total, or no pair that would rather have each other.

Rows are needs, columns providers; 0 in the totals forbids a pair. Places: how many pairs a row or
a column may have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Counts = NDArray[np.int64]
DENSE = 4_000_000
"""Cells up to which the dense optimum is worked out; above, both sides' best are enough."""
BEST = 50
"""Candidates kept of each row and of each column in a sparse pool: 99.9 % of the optimum."""


@dataclass(frozen=True)
class Pairs:
    """Pairs as (row, column), in the order of rows."""

    rows: Counts
    columns: Counts
    method: str


def optimal(totals: Matrix, row_places: Counts, column_places: Counts) -> Pairs:
    """Return pairs with the greatest sum of totals; exact up to `DENSE` cells."""
    rows = np.repeat(np.arange(len(row_places)), np.minimum(row_places, totals.shape[1]))
    columns = np.repeat(np.arange(len(column_places)), np.minimum(column_places, len(rows)))
    if len(rows) * len(columns) <= DENSE:
        return _dense(totals, rows, columns)
    return _sparse(totals, rows, columns)


def _dense(totals: Matrix, rows: Counts, columns: Counts) -> Pairs:
    """Jonker-Volgenant over every cell (scipy `linear_sum_assignment`)."""
    from scipy.optimize import linear_sum_assignment

    cells = _cells(totals, rows, columns)
    at, to = linear_sum_assignment(cells, maximize=True)
    kept = cells[at, to] > 0
    return _pairs(rows[at[kept]], columns[to[kept]], "optimal")


def _sparse(totals: Matrix, rows: Counts, columns: Counts) -> Pairs:
    """Min-weight full matching over both sides' best; each row may also stay alone at cost 1."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    at, to = candidates(_cells(totals, rows, columns))
    cost = 1.0 - totals[rows[at], columns[to]].astype(np.float64) + 1e-9
    alone = np.arange(len(rows))
    graph = coo_array(
        (
            np.concatenate([cost, np.ones(len(rows))]),
            (np.concatenate([at, alone]), np.concatenate([to, len(columns) + alone])),
        ),
        shape=(len(rows), len(columns) + len(rows)),
    ).tocsr()
    at, to = min_weight_full_bipartite_matching(graph)
    kept = to < len(columns)
    return _pairs(rows[at[kept]], columns[to[kept]], f"best {BEST} of both sides")


def _cells(totals: Matrix, rows: Counts, columns: Counts) -> Matrix:
    """Return a line for each place; where everyone has one place, the totals themselves."""
    if np.array_equal(rows, np.arange(len(totals))) and np.array_equal(
        columns, np.arange(totals.shape[1])
    ):
        return totals
    return totals[np.ix_(rows, columns)]


def candidates(totals: Matrix) -> tuple[Counts, Counts]:
    """Return the cells above 0 that are among the best of their row or of their column."""
    columns = totals.shape[1]
    found = [_best_of_rows(totals)]
    for start in range(0, columns, 500):
        at, to = _best_of_rows(np.ascontiguousarray(totals[:, start : start + 500].T))
        found.append((to, at + start))
    at, to = (np.concatenate(side) for side in zip(*found, strict=True))
    cells = np.unique(at * columns + to)
    at, to = cells // columns, cells % columns
    above = totals[at, to] > 0
    return at[above], to[above]


def _best_of_rows(totals: Matrix) -> tuple[Counts, Counts]:
    rows, columns = totals.shape
    count = min(BEST, columns)
    best = [np.argpartition(row, columns - count)[columns - count :] for row in totals]
    return np.repeat(np.arange(rows), count), np.concatenate(best)


def _pairs(rows: Counts, columns: Counts, method: str) -> Pairs:
    """Return each pair once, by row; two places of a row may have met the same provider."""
    cells = sorted(set(zip(rows.tolist(), columns.tolist(), strict=True)))
    both = np.array(cells, np.int64).reshape(-1, 2)
    return Pairs(both[:, 0], both[:, 1], method)
