"""A whole pool that is too large for a matrix: allowed pairs in lists, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

import numpy as np

from services.match.assign import BEST, Counts, Pairs
from services.match.auction import Array, Edges, auction, edges
from services.match.bulk import Scored
from services.match.pool import Bools

MOST_KEPT = 4_000_000
"""Pairs that are kept at once; beyond, the best of both sides alone, and the rest scored again."""

Source = Callable[[], Iterable[Scored]]


@dataclass(frozen=True)
class Paired:
    """The pairs, what they are worth, and how many others would rather have each other."""

    pairs: Pairs
    values: Scored
    blocking: int


def pair(source: Source, row_places: Counts, column_places: Counts) -> Paired:
    """Pair needs and providers so that the sum of totals is nearly the greatest there is.

    `source` scores everything, and is asked again when not all pairs could be kept.
    """
    kept, dropped = candidates(source(), (len(row_places), len(column_places)))
    rows, columns = _solve(kept, row_places, column_places)
    method = f"auction, best {BEST} of both sides" if dropped else "auction"
    found = Pairs(rows, columns, method)
    values = _chosen(kept, found)
    every = source() if dropped else [kept]
    count = _blocking(every, values, (row_places, column_places))
    return Paired(found, values, count)


def candidates(chunks: Iterable[Scored], shape: tuple[int, int]) -> tuple[Scored, bool]:
    """Return the pairs to choose from, and whether any were left out: never among the best."""
    found: list[Scored] = []
    count, dropped = 0, False
    for chunk in chunks:
        found.append(chunk)
        count += len(chunk.rows)
        if count > MOST_KEPT:
            found = [_best_of_both(_joined(found), shape)]
            count, dropped = len(found[0].rows), True
    return _joined(found), dropped


def _best_of_both(pairs: Scored, shape: tuple[int, int]) -> Scored:
    """Return what is among the best of its row or of its column; rows come whole."""
    best = _best(pairs.rows, pairs.total, shape[0]) | _best(pairs.columns, pairs.total, shape[1])
    return _where(pairs, best)


def _best(keys: Array, totals: Array, count: int) -> Bools:
    order = np.lexsort((-totals, keys))
    starts = np.searchsorted(keys[order], np.arange(count))
    rank = np.arange(len(keys)) - starts[keys[order]]
    best = np.zeros(len(keys), np.bool_)
    best[order[rank < BEST]] = True
    return best


def _joined(chunks: list[Scored]) -> Scored:
    names = [field.name for field in fields(Scored)]
    if not chunks:
        empty: list[Array] = [np.zeros(0, np.int32) for _ in names]
        return Scored(*empty)
    return Scored(*(np.concatenate([getattr(one, name) for one in chunks]) for name in names))


def _where(pairs: Scored, mask: Array) -> Scored:
    return Scored(*(getattr(pairs, field.name)[mask] for field in fields(Scored)))


def _solve(pairs: Scored, row_places: Counts, column_places: Counts) -> tuple[Counts, Counts]:
    """Let each place of a need bid for itself; a pair that two of them made is one pair."""
    lines = np.repeat(np.arange(len(row_places)), row_places)
    if len(lines) == len(row_places) and (row_places == 1).all():
        market = edges(pairs.rows, pairs.columns, pairs.total, len(lines))
    else:
        market = _with_copies(pairs, row_places, lines)
    columns = auction(market, column_places)
    kept = columns >= 0
    both = np.unique(np.stack([lines[kept], columns[kept]], axis=1), axis=0)
    return both[:, 0], both[:, 1]


def _with_copies(pairs: Scored, row_places: Counts, lines: Counts) -> Edges:
    """Return the edges with each row once for each of its places."""
    copies = row_places[pairs.rows]
    first = np.cumsum(row_places) - row_places
    which = np.repeat(np.arange(len(copies)), copies)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(copies) - copies, copies)
    rows = first[pairs.rows[which]] + nth
    return edges(rows, pairs.columns[which], pairs.total[which], len(lines))


def _chosen(pairs: Scored, found: Pairs) -> Scored:
    """Return what the chosen pairs are worth, in their order."""
    width = int(max(pairs.columns.max(initial=0), found.columns.max(initial=0))) + 1
    keys = pairs.rows.astype(np.int64) * width + pairs.columns
    order = np.argsort(keys)
    return _where(pairs, order[np.searchsorted(keys[order], found.rows * width + found.columns)])


def _blocking(every: Iterable[Scored], held: Scored, places: tuple[Counts, Counts]) -> int:
    """Count the pairs that would both rather have each other than what they have."""
    least_row = _least(held.client, held.rows, places[0])
    least_column = _least(held.provider, held.columns, places[1])
    width = len(places[1])
    together = held.rows.astype(np.int64) * width + held.columns
    count = 0
    for chunk in every:
        both = chunk.client > least_row[chunk.rows]
        both &= chunk.provider > least_column[chunk.columns]
        keys = chunk.rows[both].astype(np.int64) * width + chunk.columns[both]
        count += len(keys) - int(np.isin(keys, together).sum())
    return count


def _least(views: Array, keys: Array, places: Counts) -> Array:
    """Return what each already has at worst: below zero where a place is free."""
    least = np.full(len(places), np.inf, np.float32)
    np.minimum.at(least, keys, views)
    least[np.bincount(keys, minlength=len(places)) < places] = -1.0
    least[places == 0] = np.inf
    return least
