"""Places the last rows of an auction by shortest paths, where prices would climb for ever.

A row that waits takes a column from another row, which takes one from a third, and so on, until
a column has room or a row would as soon stay alone. What a step costs is how much less than the
best it is worth at today's prices. Prices rise by how far each column is from such an end; after
that the best way costs nothing, and all that do not meet are gone at once (Hopcroft and Karp 1973,
with prices as in the Hungarian method). Costs are cut to whole `GRAIN`s: each pair is at most one
of them from the optimum, beside what the auction left.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from services.match.auction import Array, Edges, Held

GRAIN = 1e-4
"""What costs are counted in."""
NEAR = 200
"""Grains that are looked at first: most ends are nearer, and most pairs are not looked at."""


def place(market: Edges, held: Held, waiting: Array) -> None:
    """Give each waiting row a column, or leave it alone where that is as good.

    `market` has no pair with a column that has no place.
    """
    near, holders = NEAR, _holders(held.columns, len(held.places))
    while len(waiting):
        left = _Round(market, held, holders, near).place(waiting)
        if len(left) == len(waiting):
            near *= 4
        waiting = left


class _Round:
    """One round: prices rise until ways cost nothing, then rows take them."""

    def __init__(self, market: Edges, held: Held, holders: list[list[int]], near: int) -> None:
        self._held, self._holders = held, holders
        value = market.totals - held.prices[market.columns]
        profit = profits(market, value)
        lost = profit[market.rows] - value
        ways = np.flatnonzero((lost < near * GRAIN) & (held.columns[market.rows] != market.columns))
        rows, columns = market.rows[ways], market.columns[ways]
        cost = np.floor(np.maximum(lost[ways], 0) / GRAIN)
        alone = np.floor(profit / GRAIN)
        room = held.room()
        far = _far((rows, columns, cost), held.columns, (room, alone), near)
        of_row, of_column = far[: len(profit)], far[len(profit) : -1]
        held.reprice(held.prices + of_column * GRAIN)
        self._of_row, self._of_column = of_row.tolist(), of_column.tolist()
        free = (cost + of_column[columns] <= of_row[rows]) & (of_row[rows] < near)
        starts = np.searchsorted(rows[free], np.arange(len(profit) + 1))
        self._starts: list[int] = starts.tolist()
        self._columns: list[int] = columns[free].tolist()
        self._room, self._alone = room.tolist(), (alone <= of_row).tolist()
        self._seen: set[int] = set()

    def place(self, waiting: Array) -> Array:
        """Place those rows whose ways do not meet; return the others."""
        return np.array([row for row in waiting.tolist() if not self._placed(row)], np.int64)

    def _placed(self, first: int) -> bool:
        """Look for a way that costs nothing, depth first, and go it."""
        stack, came, asked = [first], {first: -1}, dict[int, int]()
        while stack:
            row = stack.pop()
            end = -1 if self._alone[row] else self._look(row, stack, came, asked)
            if end is not None:
                self._seen.difference_update(came[other] for other in stack)
                self._go(row, end, came, asked)
                return True
        return False

    def _look(
        self, row: int, stack: list[int], came: dict[int, int], asked: dict[int, int]
    ) -> int | None:
        """Return a column with room; else note whose columns the row could take."""
        for column in self._columns[self._starts[row] : self._starts[row + 1]]:
            if column in self._seen or column == came[row]:
                continue
            if self._room[column] > 0:
                self._room[column] -= 1
                return column
            self._seen.add(column)
            asked[column] = row
            far = self._of_column[column]
            nearest = [other for other in self._holders[column] if self._of_row[other] <= far]
            came |= dict.fromkeys(nearest, column)
            stack += nearest
        return None

    def _go(self, row: int, column: int, came: dict[int, int], asked: dict[int, int]) -> None:
        """Let each row on the way take its next column, the last one first."""
        while row >= 0:
            before = came[row]
            if before >= 0:
                self._holders[before].remove(row)
            if column >= 0:
                self._holders[column].append(row)
            self._held.columns[row] = column
            row, column = asked.get(before, -1), before


def profits(market: Edges, value: Array) -> Array:
    """Return what each row gains at best, at least nothing; `value` is of each pair."""
    found = np.zeros(len(market.starts) - 1)
    some = np.flatnonzero(np.diff(market.starts))
    if len(some):
        found[some] = np.maximum(np.maximum.reduceat(value, market.starts[some]), 0.0)
    return found


def _far(
    ways: tuple[Array, Array, Array], held: Array, ends: tuple[Array, Array], near: int
) -> Array:
    """Return how far each row, and after them each column, is from an end; at most `near`.

    `ways` are rows, columns and costs, `ends` the room of columns, and what it costs each row to
    stay alone. Who holds a column is as far as the column.
    """
    rows, columns, cost = ways
    room, alone = ends
    first, last = len(held), len(held) + len(room)
    some, open_ones = np.flatnonzero(held >= 0), np.flatnonzero(room > 0)
    every = np.arange(first)
    nothing = np.zeros(len(some) + len(open_ones))
    start = [columns + first, some, np.full(len(open_ones), last), np.full(first, last)]
    end = [rows, held[some] + first, open_ones + first, every]
    weights = np.concatenate([cost, nothing, alone])
    graph = csr_array(
        (weights, (np.concatenate(start), np.concatenate(end))), shape=(last + 1, last + 1)
    )
    found: Array = np.minimum(dijkstra(graph, indices=last, limit=near), near)
    return found


def _holders(held: Array, count: int) -> list[list[int]]:
    """Return the rows that hold each column."""
    found: list[list[int]] = [[] for _ in range(count)]
    for row in np.flatnonzero(held >= 0).tolist():
        found[held[row]].append(row)
    return found
