"""Candidates of a large pool: the best pairs of each need and of each provider, block by block."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from services.match.assign import BEST
from services.match.auction import Array
from services.match.bulk import SURE, Block
from services.match.index import Floats, Ints
from services.match.listed import Scored, joined
from services.match.pool import Bools

NUDGE = 1e-4
"""By how much at most ties are broken: a third of what a bid is raised by."""
NOTHING = 1e-6
"""A total up to this is none: what rounding leaves of zero."""


def candidates(blocks: Iterable[Block], shape: tuple[int, int]) -> tuple[Scored, int]:
    """Return the pairs to choose from, and how many others were left out: none of the best."""
    sieve, found, count = _Sieve(shape), list[Scored](), 0
    for block in blocks:
        total = block.total()
        count += int(np.count_nonzero(total > NOTHING))
        found.append(sieve.passed(block, total))
    every = joined(found)
    kept = every.where(sieve.best(every))
    return kept, count - len(kept.rows)


def valued(pairs: Scored) -> Floats:
    """Return the totals with ties broken by less than any that counts, always the same way.

    Where many are alike, each need so prefers others of them: all would else want the first.
    """
    broken: Floats = pairs.total + _nudge(pairs.rows, pairs.columns)
    return broken


def value(block: Block, total: Floats) -> Floats:
    """Return the same of all pairs of a block."""
    broken = _nudge(block.rows[:, None], block.columns[None, :])
    broken += total
    return broken


def listed(block: Block, total: Floats, which: Bools) -> Scored:
    """Return those pairs of a block that are worth anything, in a list."""
    at, to = np.nonzero(which & (total > NOTHING))
    views = (block.client[at, to], block.provider[at, to])
    sure = (block.confidence[at, to] / np.float32(SURE)).astype(np.float32)
    return Scored(block.rows[at], block.columns[to], total[at, to], *views, sure)


def least_best(values: Floats, count: int) -> Floats:
    """Return the least of the `count` greatest of each line; nothing where there are fewer."""
    if values.shape[1] <= count:
        return np.zeros(len(values), np.float32)
    return np.partition(values, -count, axis=1)[:, -count]


def _nudge(rows: Ints, columns: Ints) -> Floats:
    """Return each pair's nudge: the product of two odd numbers, cut to 16 bits, is one of chance.

    A sum would not do: needs would want neighbours on a circle, and crowd in some places of it.
    """
    product = (_mixed(rows) | np.uint16(1)) * (_mixed(columns + np.int32(7)) | np.uint16(1))
    return product * np.float32(NUDGE / 65536)


def _mixed(numbers: Ints) -> Array:
    """Return 16 bits of a hash of each number."""
    mixed = numbers.astype(np.uint32) * np.uint32(2654435761)
    mixed = (mixed ^ (mixed >> np.uint32(15))) * np.uint32(2246822519)
    found: Array = ((mixed ^ (mixed >> np.uint32(13))) >> np.uint32(16)).astype(np.uint16)
    return found


class _Sieve:
    """Lets those pass that are among the `BEST` of their row, or of their column so far."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._row_least = np.zeros(shape[0], np.float32)
        self._top = np.zeros((shape[1], BEST), np.float32)

    def passed(self, block: Block, total: Floats) -> Scored:
        """Return the block's good pairs."""
        values = value(block, total)
        least = self._row_least[block.rows] = least_best(values, BEST)
        both = np.concatenate([self._top[block.columns], values.T], axis=1)
        top = np.partition(both, -BEST, axis=1)[:, -BEST:]
        self._top[block.columns] = top
        good = values >= least[:, None]
        good |= values >= top.min(axis=1)
        return listed(block, total, good)

    def best(self, pairs: Scored) -> Bools:
        """Tell which pairs are still good now that every block has passed."""
        values = valued(pairs)
        good: Bools = values >= self._row_least[pairs.rows]
        good |= values >= self._top.min(axis=1)[pairs.columns]
        return good
