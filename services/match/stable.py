"""Stable pairs: needs propose by the client's view, providers keep the best by their own view.

Gale and Shapley 1962, with places on both sides: no need and provider are left who would both
rather have each other. Ties go to the earlier row or column.
"""

from __future__ import annotations

import numpy as np

from services.match.assign import Counts, Matrix, Pairs


def stable(client: Matrix, provider: Matrix, row_places: Counts, column_places: Counts) -> Pairs:
    """Return stable pairs; 0 in `client` forbids a pair. Best stable outcome for the needs."""
    order = np.argsort(-client, axis=1, kind="stable")
    wanted = (client > 0).sum(axis=1)
    asked = np.zeros(len(client), np.int64)
    kept: list[list[tuple[float, int]]] = [[] for _ in column_places]
    free = [row for row, places in enumerate(row_places) for _ in range(places)][::-1]
    while free:
        row = free.pop()
        if asked[row] >= wanted[row]:
            continue
        column = int(order[row, asked[row]])
        asked[row] += 1
        out = _offer(kept[column], (float(provider[row, column]), -row), int(column_places[column]))
        if out is not None:
            free.append(out)
    cells = sorted((-row, column) for column, held in enumerate(kept) for _, row in held)
    both = np.array(cells, np.int64).reshape(-1, 2)
    return Pairs(both[:, 0], both[:, 1], "stable")


def _offer(held: list[tuple[float, int]], offer: tuple[float, int], places: int) -> int | None:
    """Keep the best offers; return the row that goes away empty, if one does."""
    held.append(offer)
    if len(held) <= places:
        return None
    worst = min(held)
    held.remove(worst)
    return -worst[1]


def blocking(
    client: Matrix, provider: Matrix, pairs: Pairs, row_places: Counts, column_places: Counts
) -> int:
    """Count the pairs that would both rather have each other than what they have."""
    least_row = _least(client, (pairs.rows, pairs.columns), row_places, 0)
    least_column = _least(provider, (pairs.rows, pairs.columns), column_places, 1)
    together = np.zeros(client.shape, np.bool_)
    together[pairs.rows, pairs.columns] = True
    count = 0
    for row, line in enumerate(client):
        wants = (line > 0) & (line > least_row[row]) & ~together[row]
        count += int((wants & (provider[row] > least_column)).sum())
    return count


def _least(views: Matrix, cells: tuple[Counts, Counts], places: Counts, axis: int) -> Matrix:
    """Return what each already has at worst: below zero where a place is free."""
    least = np.full(len(places), np.inf, np.float32)
    np.minimum.at(least, cells[axis], views[cells])
    taken = np.bincount(cells[axis], minlength=len(places))
    least[taken < places] = -1.0
    least[places == 0] = np.inf
    return least
