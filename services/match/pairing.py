"""A whole pool that is too large for one matrix: its best pairs in lists, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from services.match.assign import BEST, Counts, Pairs
from services.match.auction import STEP, Array, Edges, Held, auction, edges
from services.match.bulk import Block
from services.match.listed import Scored, joined
from services.match.paths import place, profits
from services.match.sieve import candidates, least_best, listed, value, valued

MOST_KEPT = 30_000_000
"""Pairs whose scores are kept, 8 bytes each; beyond, all is scored again where it is needed."""
ROUNDS = 400
"""Rounds of an auction. With hard limits it ends within 200; among the alike the last few bid for
many thousands, and are placed by `paths` at once."""
NEXT = 24
"""Pairs of each need, the best at today's prices, that are looked at anew."""
PASSES = 1
"""How often at most."""
SETTLED = 5
"""How often needs give up what they hold for something better, at most."""

Source = Callable[[], Iterable[Block]]


@dataclass(frozen=True)
class Paired:
    """The pairs, what they are worth, and how many others would rather have each other.

    No pairing comes to more than `at_most`: the prices prove it, over all pairs.
    """

    pairs: Pairs
    values: Scored
    blocking: int
    at_most: float


def pair(source: Source, row_places: Counts, column_places: Counts) -> Paired:
    """Pair needs and providers so that the sum of totals is nearly the greatest there is.

    `source` scores everything, and is asked again when not all could be kept.
    """
    kept = _Kept(source)
    places = (row_places, column_places)
    first, left_out = candidates(kept.blocks(), (len(row_places), len(column_places)))
    market = _Market(first, places)
    market.solve(np.arange(market.lines))
    for _ in range(PASSES if left_out and kept.all_there else 0):
        if not market.improve(kept.blocks()):
            break
    found = Pairs(*market.pairs(), f"auction, best {BEST} of both sides" if left_out else "auction")
    values = _chosen(market.offered, found)
    blocking, at_most = _checked(kept.blocks(), values, places, market.held.prices)
    told = f"{found.method}; at least {_share(values, at_most)} % of the optimum"
    return Paired(replace(found, method=told), values, blocking, at_most)


def _share(values: Scored, at_most: float) -> float:
    """Return the share of the optimum that is proven, in percent, cut to two digits."""
    total = float(values.total.sum(dtype=np.float64))
    return math.floor(min(1.0, total / at_most if at_most else 1.0) * 10_000) / 100


class _Kept:
    """The blocks of a source, and what of them was kept to be looked at again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._blocks: list[Block] = []
        self.all_there = False

    def blocks(self) -> Iterator[Block]:
        """Yield all blocks; those that are not at hand are scored anew."""
        if self.all_there:
            yield from self._blocks
            return
        cells = 0
        for block in self._source():
            cells += block.client.size
            if cells <= MOST_KEPT:
                self._blocks += block.parts()
            else:
                self._blocks.clear()
            yield block
        self.all_there = cells <= MOST_KEPT


class _Market:
    """Pairs on offer, and who holds whom; each place of a need is a line that bids for itself."""

    def __init__(self, offered: Scored, places: tuple[Counts, Counts]) -> None:
        self._places = places
        self._owners = np.repeat(np.arange(len(places[0])), places[0])
        self.lines = len(self._owners)
        self.held = Held(self.lines, places[1])
        self.offered = offered
        self._edges = self._offer(offered)

    def solve(self, waiting: Array) -> None:
        """Let these lines find a place."""
        waiting = waiting[np.diff(self._edges.starts)[waiting] > 0]
        left = auction(self._edges, self.held, waiting, ROUNDS)
        place(self._edges, self.held, left)

    def improve(self, blocks: Iterable[Block]) -> bool:
        """Offer each need the best of all pairs at today's prices; tell whether that helped."""
        prices, worth = self.held.prices, self._worth()
        found = [self.offered.where(self._kept())]
        for block in blocks:
            total = block.total()
            gains = value(block, total) - prices[block.columns].astype(np.float32)
            found.append(listed(block, total, gains >= least_best(gains, NEXT)[:, None]))
        before = self.held.columns.copy()
        self._edges = self._offer(_once(joined(found), len(prices)))
        self._settle()
        if self._worth() >= worth:
            return True
        self.held.columns = before
        self.held.reprice(prices)
        return False

    def _settle(self) -> None:
        """Let lines that could gain more than a step give up what they hold, and find a place.

        A place that nobody took has no price, which may be worth giving up another for.
        """
        for _ in range(SETTLED):
            self.held.reprice(np.where(self.held.room() > 0, 0.0, self.held.prices))
            unhappy = self._unhappy()
            if not len(unhappy):
                return
            self.held.columns[unhappy] = -1
            self.solve(unhappy)

    def _worth(self) -> float:
        return float(self.offered.total[self._kept()].sum(dtype=np.float64))

    def pairs(self) -> tuple[Counts, Counts]:
        """Return rows and columns; a pair that two lines of a need made is one pair."""
        kept = np.flatnonzero(self.held.columns >= 0)
        lines = np.stack([self._owners[kept], self.held.columns[kept]], axis=1)
        both = np.unique(lines, axis=0)
        return both[:, 0], both[:, 1]

    def _kept(self) -> Array:
        """Return which of the pairs on offer are held."""
        rows, columns = self.pairs()
        width = len(self.held.places)
        keys = self.offered.rows.astype(np.int64) * width + self.offered.columns
        return np.isin(keys, rows * width + columns)

    def _offer(self, offered: Scored) -> Edges:
        """Take the pairs that have a place on both sides, once for each place of the need."""
        room = (self._places[0][offered.rows] > 0) & (self._places[1][offered.columns] > 0)
        self.offered = offered.where(room)
        copies = self._places[0][self.offered.rows]
        first = np.cumsum(self._places[0]) - self._places[0]
        which = np.repeat(np.arange(len(copies)), copies)
        nth = np.arange(len(which)) - np.repeat(np.cumsum(copies) - copies, copies)
        rows = first[self.offered.rows[which]] + nth
        return edges(rows, self.offered.columns[which], valued(self.offered)[which], self.lines)

    def _unhappy(self) -> Array:
        """Return the lines that could gain more than a step at today's prices."""
        market, held = self._edges, self.held
        gains = market.totals - held.prices[market.columns]
        own = np.zeros(self.lines)
        mine = held.columns[market.rows] == market.columns
        own[market.rows[mine]] = gains[mine]
        return np.flatnonzero(profits(market, gains) > own + STEP)


def _once(pairs: Scored, width: int) -> Scored:
    """Return the pairs, each once."""
    keys = pairs.rows.astype(np.int64) * width + pairs.columns
    return pairs.where(np.unique(keys, return_index=True)[1])


def _chosen(pairs: Scored, found: Pairs) -> Scored:
    """Return what the chosen pairs are worth, in their order."""
    width = int(max(pairs.columns.max(initial=0), found.columns.max(initial=0))) + 1
    keys = pairs.rows.astype(np.int64) * width + pairs.columns
    order = np.argsort(keys)
    at = np.searchsorted(keys, found.rows * width + found.columns, sorter=order)
    return pairs.where(order[at])


def _checked(
    blocks: Iterable[Block], held: Scored, places: tuple[Counts, Counts], prices: Array
) -> tuple[int, float]:
    """Count the pairs that would both rather have each other, and prove how good the total is.

    At any prices, no pairing is worth more than all places and what each need gains at best.
    """
    least_row = _least(held.client, held.rows, places[0])
    least_column = _least(held.provider, held.columns, places[1])
    at = np.full(len(places[0]), -1, np.int64)
    some = places[1] > 0
    at_most = float((prices[some] * places[1][some]).sum())
    count = 0
    for block in blocks:
        rather = block.client > least_row[block.rows][:, None]
        rather &= block.provider > least_column[block.columns]
        at[:] = -1
        at[block.rows] = np.arange(len(block.rows))
        own = np.flatnonzero(at[held.rows] >= 0)
        rather[at[held.rows[own]], np.searchsorted(block.columns, held.columns[own])] = False
        count += int(np.count_nonzero(rather))
        gains = block.total() - prices[block.columns].astype(np.float32)
        best = np.maximum(gains.max(axis=1), 0).astype(np.float64)
        at_most += float((best * places[0][block.rows]).sum())
    return count, at_most


def _least(views: Array, keys: Array, places: Counts) -> Array:
    """Return what each already has at worst: nothing where a place is free."""
    least = np.full(len(places), np.inf, np.float32)
    np.minimum.at(least, keys, views)
    least[np.bincount(keys, minlength=len(places)) < places] = 0.0
    least[places == 0] = np.inf
    return least
