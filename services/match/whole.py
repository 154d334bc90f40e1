"""All open needs and all providers, paired at once, with the figures that show the trade-off.

Small pools are worked out in full: the exact optimum, over a matrix. Larger ones go by lists of
allowed pairs and an auction (`pairing`), in bounded memory.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from services.match import queries
from services.match.asked import Asked
from services.match.assign import DENSE, Counts, Matrix, Pairs, optimal
from services.match.bulk import SURE, Block, scored
from services.match.explain import DIGITS, explain
from services.match.listed import Scored
from services.match.market import Market, ask_of
from services.match.pairing import Paired, pair
from services.match.pool import Pool
from services.match.scoring import score
from services.match.sieve import NOTHING
from services.match.stable import blocking, stable
from shared.events import Assignment, MatchAssign, MatchScore, Need

EXPLAINED = 100
"""Most pairs of an assignment that are told with all their reasons."""


@dataclass(frozen=True)
class Table:
    """What is paired: needs as rows, providers as columns in the order of their ids.

    `pool_rows` tells which row of the pool a column is, `room` how many places it has left.
    """

    needs: list[Need]
    asks: list[Asked]
    unwanted: list[set[str]]
    places: Counts
    pool: Pool
    pool_rows: Counts
    room: Counts
    floor: float

    def columns(self) -> Counts:
        """Return which column each row of the pool is; -1 for those out of the market."""
        found = np.full(len(self.pool), -1, np.int64)
        found[self.pool_rows] = np.arange(len(self.pool_rows))
        return found

    def scored(self) -> Iterator[Block]:
        """Score everything; columns are rows of the pool."""
        return scored(self.asks, self.pool, self.unwanted, self.floor)


def assign(db: sqlite3.Connection, market: Market, ask: MatchAssign) -> Assignment:
    """Pair all open needs at once, and show what the way of pairing costs."""
    start = time.monotonic()
    table = _table(db, market, ask.floor)
    if not table.needs or not market.pool.live:
        alone = tuple(need.need_id for need in table.needs)
        return Assignment(mode=ask.mode, unmatched_needs=alone)
    found = paired(table, ask.mode)
    report = _report(table, found)
    pairs = _told(db, table, found)
    return report.model_copy(
        update={"mode": ask.mode, "pairs": pairs, "seconds": round(time.monotonic() - start, 3)}
    )


def paired(table: Table, mode: str) -> Paired:
    """Return the pairs: exact or stable over a matrix, by auction when that were too large."""
    lines = int(table.places.sum())
    cells = lines * int(np.minimum(table.room, lines).sum())
    if mode == "optimal" and cells > DENSE:
        return _large(table)
    seen = views(table)
    places = (table.places, table.room)
    found = (
        stable(seen.client, seen.provider, *places)
        if mode == "stable"
        else optimal(seen.total, *places)
    )
    count = blocking(seen.client, seen.provider, found, *places)
    values = _values(seen, found)
    return Paired(found, values, count, float(values.total.sum(dtype=np.float64)))


def _large(table: Table) -> Paired:
    """Pair needs with rows of the pool, those out of the market without a place."""
    room = np.zeros(len(table.pool), np.int64)
    room[table.pool_rows] = table.room
    found = pair(table.scored, table.places, room)
    columns = table.columns()[found.pairs.columns]
    order = np.lexsort((columns, found.pairs.rows))
    pairs = Pairs(found.pairs.rows[order], columns[order], found.pairs.method)
    values = replace(found.values.where(order), columns=columns[order].astype(np.int32))
    return replace(found, pairs=pairs, values=values)


def _table(db: sqlite3.Connection, market: Market, floor: float) -> Table:
    needs, places = _open_needs(db)
    pool = market.pool
    rows = np.array([pool.rows[party] for party in sorted(pool.rows)], np.int64)
    room = np.maximum(pool.columns["capacity"] - pool.columns["load"], 0)[rows]
    return Table(
        needs=needs,
        asks=[ask_of(market, need) for need in needs],
        unwanted=[queries.unwanted(db, need.need_id) for need in needs],
        places=places,
        pool=pool,
        pool_rows=rows,
        room=room.astype(np.int64),
        floor=floor,
    )


def _open_needs(db: sqlite3.Connection) -> tuple[list[Need], Counts]:
    taken = queries.all_taken(db)
    bodies = db.execute("SELECT body FROM need ORDER BY need_id")
    every = (Need.model_validate_json(row[0]) for row in bodies)
    left = [(need, need.openings - taken.get(need.need_id, 0)) for need in every if need.active]
    open_ones = [(need, places) for need, places in left if places > 0]
    return [need for need, _ in open_ones], np.array([p for _, p in open_ones], np.int64)


@dataclass(frozen=True)
class Views:
    """Scores of all pairs as matrices; 0 where a pair is not allowed."""

    total: Matrix
    client: Matrix
    provider: Matrix
    confidence: Matrix


def views(table: Table) -> Views:
    """Lay out the scores of every pair."""
    shape = (len(table.needs), len(table.pool_rows))
    seen = Views(*(np.zeros(shape, np.float32) for _ in range(4)))
    every = table.columns()
    for block in table.scored():
        there = every[block.columns] >= 0
        cells = np.ix_(block.rows, every[block.columns[there]])
        total = block.total()[:, there]
        kept = total > NOTHING
        seen.total[cells] = total * kept
        seen.client[cells] = np.maximum(block.client[:, there], NOTHING) * kept
        seen.provider[cells] = block.provider[:, there] * kept
        seen.confidence[cells] = block.confidence[:, there] * np.float32(1 / SURE)
    return seen


def _values(seen: Views, found: Pairs) -> Scored:
    cells = (found.rows, found.columns)
    rows, columns = (axis.astype(np.int32) for axis in cells)
    return Scored(
        rows, columns, seen.total[cells], seen.client[cells], seen.provider[cells],
        seen.confidence[cells],
    )  # fmt: skip


def _report(table: Table, found: Paired) -> Assignment:
    totals = found.values.total
    alone = set(range(len(table.needs))) - set(found.pairs.rows.tolist())
    busy = len(set(found.pairs.columns.tolist()))
    return Assignment(
        mode="",
        total=round(float(totals.sum(dtype=np.float64)), DIGITS),
        worst=round(float(totals.min()), DIGITS) if len(totals) else None,
        unmatched_needs=tuple(table.needs[row].need_id for row in sorted(alone)),
        unmatched_providers=int((table.room > 0).sum()) - busy,
        blocking_pairs=found.blocking,
        method=found.pairs.method,
    )


def _told(db: sqlite3.Connection, table: Table, found: Paired) -> tuple[MatchScore, ...]:
    """Return the pairs with their reasons; beyond `EXPLAINED` of them, with the numbers alone."""
    pool = table.pool
    told = []
    for n, (row, column) in enumerate(
        zip(found.pairs.rows.tolist(), found.pairs.columns.tolist(), strict=True)
    ):
        party = pool.ids[at := int(table.pool_rows[column])]
        if n < EXPLAINED:
            scores = score(table.asks[row], pool)
            told.append(explain(table.asks[row], scores, at, queries.profile(db, party)))
        else:
            told.append(_short(table.needs[row].need_id, party, found.values, n))
    return tuple(told)


def _short(need_id: str, party: str, values: Scored, n: int) -> MatchScore:
    return MatchScore(
        need_id=need_id,
        provider_id=party,
        total=round(float(values.total[n]), DIGITS),
        client_view=round(float(values.client[n]), DIGITS),
        provider_view=round(float(values.provider[n]), DIGITS),
        confidence=min(1.0, round(float(values.confidence[n]), DIGITS)),
    )
