"""A whole pool that is too large for a matrix: allowed pairs in lists, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

import numpy as np

from services.match.assign import BEST, Counts, Pairs
from services.match.auction import Array, Edges, Endless, auction, edges
from services.match.bulk import Scored
from services.match.pool import Bools
from services.match.sparse import exact, fits

MOST_KEPT = 4_000_000
"""Pairs that are kept at once; beyond, the best of both sides alone, and the rest scored again."""

NUDGE = 1e-4
"""By how much at most ties are broken: a third of what a bid is raised by."""

ROUNDS = 2000
"""An auction of 5,000 with hard limits ends within a tenth of this; one among the alike never."""

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
    count, sieve = 0, None
    for chunk in chunks:
        found.append(chunk)
        count += len(chunk.rows)
        if sieve is not None:
            found[-1] = sieve.passed(chunk)
        elif count > MOST_KEPT:
            sieve = Sieve(shape)
            for n, one in enumerate(found):
                found[n] = sieve.passed(one)
    joined = _joined(found)
    return (joined, False) if sieve is None else (_where(joined, sieve.best(joined)), True)


def valued(pairs: Scored) -> Array:
    """Return the totals with ties broken by less than any that counts, always the same way.

    Where many are alike, each need so prefers others of them: all would else want the first.
    """
    mixed = pairs.rows.astype(np.uint32) * np.uint32(2654435761)
    mixed = (mixed ^ pairs.columns.astype(np.uint32)) * np.uint32(2246822519)
    mixed ^= mixed >> np.uint32(15)
    nudge = (mixed * np.uint32(3266489917) >> np.uint32(8)).astype(np.float32)
    broken: Array = pairs.total + nudge * np.float32(NUDGE / 2**24)
    return broken


class Sieve:
    """Lets those pass that are among the `BEST` of their row, or of their column so far."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._row_least = np.zeros(shape[0], np.float32)
        self._top = np.zeros((BEST, shape[1]), np.float32)

    def passed(self, chunk: Scored) -> Scored:
        """Return the chunk's good pairs; its rows come whole and are in no other chunk."""
        if not len(chunk.rows):
            return chunk
        first, totals = int(chunk.rows.min()), valued(chunk)
        every = np.zeros((int(chunk.rows.max()) - first + 1, self._top.shape[1]), np.float32)
        every[chunk.rows - first, chunk.columns] = totals
        least = min(BEST, every.shape[1])
        ends = slice(first, first + len(every))
        self._row_least[ends] = np.partition(every, -least, axis=1)[:, -least]
        both = np.concatenate([self._top, every])
        self._top = np.partition(both, len(every), axis=0)[len(every) :]
        return _where(chunk, self._good(chunk, totals))

    def best(self, pairs: Scored) -> Bools:
        """Tell which pairs are still good now that every chunk has passed."""
        return self._good(pairs, valued(pairs))

    def _good(self, pairs: Scored, totals: Array) -> Bools:
        good: Bools = totals >= self._row_least[pairs.rows]
        good |= totals >= self._top.min(axis=0)[pairs.columns]
        return good


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
    lines, totals = np.repeat(np.arange(len(row_places)), row_places), valued(pairs)
    if len(lines) == len(row_places) and (row_places == 1).all():
        market = edges(pairs.rows, pairs.columns, totals, len(lines))
    else:
        market = _with_copies(pairs, totals, row_places, lines)
    columns = _placed(market, column_places)
    kept = columns >= 0
    both = np.unique(np.stack([lines[kept], columns[kept]], axis=1), axis=0)
    return both[:, 0], both[:, 1]


def _placed(market: Edges, places: Counts) -> Array:
    """Return each line's column: by auction, or exactly where its prices would climb for ever."""
    if not fits(market, places):
        return auction(market, places)
    try:
        return auction(market, places, ROUNDS)
    except Endless:
        return exact(market, places)


def _with_copies(pairs: Scored, totals: Array, row_places: Counts, lines: Counts) -> Edges:
    """Return the edges with each row once for each of its places."""
    copies = row_places[pairs.rows]
    first = np.cumsum(row_places) - row_places
    which = np.repeat(np.arange(len(copies)), copies)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(copies) - copies, copies)
    rows = first[pairs.rows[which]] + nth
    return edges(rows, pairs.columns[which], totals[which], len(lines))


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
