"""The optimum over listed pairs (Jonker-Volgenant for sparse matrices, scipy LAPJVsp).

Each line has a way out of its own that is worth next to nothing, so that all can be placed; each
place of a column is a column. Prices that climb by small steps, as in an auction, take thousands
of rounds where many are alike; this does not.
"""

from __future__ import annotations

import numpy as np

from services.match.auction import Array, Edges

MOST_PLACED = 6_000_000
"""Pairs, one for each place of their column, up to which memory suffices for this."""
WAY_OUT = 1e-9
"""What staying alone is worth: less than any pair."""


def fits(market: Edges, places: Array) -> bool:
    """Tell whether the market is small enough for `exact`."""
    return int(_copies(market, places)[market.columns].sum()) <= MOST_PLACED


def exact(market: Edges, places: Array) -> Array:
    """Return the column of each row, -1 for who stays alone; `places` is how many a column has."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    lines, copies = len(market.starts) - 1, _copies(market, places)
    owner = np.repeat(np.arange(len(copies)), copies)
    first = np.cumsum(copies) - copies
    times = copies[market.columns]
    which = np.repeat(np.arange(len(times)), times)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(times) - times, times)
    rows = np.repeat(np.arange(lines), np.diff(market.starts))[which]
    columns = first[market.columns[which]] + nth
    rows = np.concatenate([rows, np.arange(lines)])
    columns = np.concatenate([columns, len(owner) + np.arange(lines)])
    worth = np.concatenate([market.totals[which], np.full(lines, WAY_OUT)])
    table = csr_array((-worth, (rows, columns)), shape=(lines, len(owner) + lines))
    at, to = min_weight_full_bipartite_matching(table)
    found = np.full(lines, -1, np.int64)
    placed = to < len(owner)
    found[at[placed]] = owner[to[placed]]
    return found


def _copies(market: Edges, places: Array) -> Array:
    """Return how many columns each column becomes: its places, as far as anybody could use them."""
    wanted: Array = np.bincount(market.columns, minlength=len(places))
    return np.minimum(places, wanted)
