"""Pairs for a whole pool with the best total, exactly.

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
"""Cells up to which the exact optimum is worked out; above, `pairing` comes near to it."""
BEST = 32
"""Candidates of each row and of each column that are never left out of a large pool."""


@dataclass(frozen=True)
class Pairs:
    """Pairs as (row, column), in the order of rows."""

    rows: Counts
    columns: Counts
    method: str


def optimal(totals: Matrix, row_places: Counts, column_places: Counts) -> Pairs:
    """Return the pairs with the greatest sum of totals.

    Jonker-Volgenant over every cell (scipy `linear_sum_assignment`); a place is a line of its own.
    """
    from scipy.optimize import linear_sum_assignment

    rows = np.repeat(np.arange(len(row_places)), np.minimum(row_places, totals.shape[1]))
    columns = np.repeat(np.arange(len(column_places)), np.minimum(column_places, len(rows)))
    cells = _cells(totals, rows, columns)
    at, to = linear_sum_assignment(cells, maximize=True)
    kept = cells[at, to] > 0
    return _pairs(rows[at[kept]], columns[to[kept]], "optimal")


def _cells(totals: Matrix, rows: Counts, columns: Counts) -> Matrix:
    """Return a line for each place; where everyone has one place, the totals themselves."""
    if np.array_equal(rows, np.arange(len(totals))) and np.array_equal(
        columns, np.arange(totals.shape[1])
    ):
        return totals
    return totals[np.ix_(rows, columns)]


def _pairs(rows: Counts, columns: Counts, method: str) -> Pairs:
    """Return each pair once, by row; two places of a row may have met the same provider."""
    cells = sorted(set(zip(rows.tolist(), columns.tolist(), strict=True)))
    both = np.array(cells, np.int64).reshape(-1, 2)
    return Pairs(both[:, 0], both[:, 1], method)
