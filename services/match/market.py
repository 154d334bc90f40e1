"""The market as it stands: the pool of all providers, ranked for one need or paired for all."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.match import queries
from services.match.asked import Asked, asked
from services.match.assign import Counts, Matrix, Pairs, optimal
from services.match.explain import DIGITS, explain
from services.match.pool import Pool, gather, refreshed
from services.match.scoring import best, score
from services.match.stable import blocking, stable
from shared.events import Assignment, MatchAssign, MatchFind, MatchFound, MatchScore, Need

EXPLAINED = 100
"""Most pairs of an assignment that are told with all their reasons."""


@dataclass(frozen=True)
class Market:
    """The pool and what clients heard from providers; `profiles_seq` tells which profiles."""

    pool: Pool
    heard: dict[str, tuple[int, int]]
    profiles_seq: int


def read(db: sqlite3.Connection, before: Market | None = None) -> Market:
    """Return the market of the read model; profiles are read again only when one changed."""
    seq = int(db.execute("SELECT coalesce(max(seq), 0) FROM profile").fetchone()[0])
    loads, heard = queries.engaged(db, "provider_id"), queries.heard(db, "provider")
    if before is not None and before.profiles_seq == seq:
        pool = refreshed(before.pool, loads, heard)
    else:
        bodies = (row[0] for row in db.execute("SELECT body FROM profile ORDER BY party_id"))
        pool = gather(bodies, loads, heard)
    return Market(pool, queries.heard(db, "client"), seq)


def ask_of(market: Market, need: Need) -> Asked:
    """Return the need made ready, with what providers said to its client."""
    return asked(need, market.heard.get(need.party_id, (0, 0)))


def find(db: sqlite3.Connection, market: Market, ask: MatchFind) -> MatchFound:
    """Return the best providers for one need."""
    need = queries.need(db, ask.need_id)
    if not len(market.pool):
        return MatchFound(need_id=need.need_id, notice="there are no providers yet")
    ready = ask_of(market, need)
    scores = score(ready, market.pool, queries.unwanted(db, need.need_id))
    rows = best(scores, ask.limit, ask.blocked)
    found = [explain(ready, scores, row, queries.profile(db, market.pool.ids[row])) for row in rows]
    return MatchFound(
        need_id=need.need_id,
        scores=tuple(found),
        considered=len(market.pool),
        blocked=int(scores.blocked.sum()),
        notice=_notice(db, need),
    )


def pair_score(db: sqlite3.Connection, need_id: str, provider_id: str) -> float:
    """Return the total of one pair, as it would be shown now."""
    return pair(db, need_id, provider_id)[0]


def pair(db: sqlite3.Connection, need_id: str, provider_id: str) -> tuple[float, bool]:
    """Return the total of one pair, and whether a hard limit rules it out."""
    need, profile = queries.need(db, need_id), queries.profile(db, provider_id)
    load = {provider_id: queries.load_of(db, provider_id)}
    pool = gather([profile.model_dump_json().encode()], load, queries.heard(db, "provider"))
    ready = asked(need, queries.heard(db, "client").get(need.party_id, (0, 0)))
    scores = score(ready, pool, queries.unwanted(db, need_id))
    return round(float(scores.total[0]), DIGITS), bool(scores.blocked[0])


def _notice(db: sqlite3.Connection, need: Need) -> str:
    if not need.active:
        return "the need is closed"
    return "the need is filled" if queries.taken(db, need.need_id) >= need.openings else ""


@dataclass(frozen=True)
class Views:
    """Scores of open needs (rows) against the pool (columns); 0 where a pair is not allowed."""

    total: Matrix
    client: Matrix
    provider: Matrix
    confidence: NDArray[np.float16]


def views(asks: list[Asked], pool: Pool, unwanted: list[set[str]], floor: float) -> Views:
    """Score every need against everyone."""
    shape = (len(asks), len(pool))
    total, client, provider = (np.zeros(shape, np.float32) for _ in range(3))
    confidence = np.zeros(shape, np.float16)
    for row, ask in enumerate(asks):
        scores = score(ask, pool, unwanted[row])
        allowed = ~scores.blocked & (scores.total >= floor)
        total[row] = np.where(allowed, scores.total, 0.0)
        client[row] = np.where(allowed, np.maximum(scores.client, 1e-6), 0.0)
        provider[row] = scores.provider
        confidence[row] = scores.confidence
    return Views(total, client, provider, confidence)


def assign(db: sqlite3.Connection, market: Market, ask: MatchAssign) -> Assignment:
    """Pair all open needs at once, and show what the way of pairing costs."""
    start = time.monotonic()
    needs, places = _open_needs(db)
    if not needs or not len(market.pool):
        return Assignment(mode=ask.mode, unmatched_needs=tuple(need.need_id for need in needs))
    asks = [ask_of(market, need) for need in needs]
    unwanted = [queries.unwanted(db, need.need_id) for need in needs]
    seen = views(asks, market.pool, unwanted, ask.floor)
    room = np.maximum(market.pool.columns["capacity"] - market.pool.columns["load"], 0)
    found = _pair(seen, (places, room.astype(np.int64)), ask.mode)
    report = _report(seen, found, (places, room.astype(np.int64)), needs)
    pairs = _told(db, market, asks, seen, found)
    return report.model_copy(
        update={"mode": ask.mode, "pairs": pairs, "seconds": round(time.monotonic() - start, 3)}
    )


def _open_needs(db: sqlite3.Connection) -> tuple[list[Need], Counts]:
    every = (Need.model_validate_json(row[0]) for row in db.execute(
        "SELECT body FROM need ORDER BY need_id"
    ))  # fmt: skip
    left = [
        (need, need.openings - queries.taken(db, need.need_id)) for need in every if need.active
    ]
    open_ones = [(need, places) for need, places in left if places > 0]
    return [need for need, _ in open_ones], np.array([p for _, p in open_ones], np.int64)


def _pair(seen: Views, places: tuple[Counts, Counts], mode: str) -> Pairs:
    if mode == "stable":
        return stable(seen.client, seen.provider, *places)
    return optimal(seen.total, *places)


def _report(
    seen: Views, found: Pairs, places: tuple[Counts, Counts], needs: list[Need]
) -> Assignment:
    totals = seen.total[found.rows, found.columns]
    alone = set(range(len(needs))) - set(found.rows.tolist())
    busy = len(set(found.columns.tolist()))
    return Assignment(
        mode="",
        total=round(float(totals.sum(dtype=np.float64)), DIGITS),
        worst=round(float(totals.min()), DIGITS) if len(totals) else None,
        unmatched_needs=tuple(needs[row].need_id for row in sorted(alone)),
        unmatched_providers=int((places[1] > 0).sum()) - busy,
        blocking_pairs=blocking(seen.client, seen.provider, found, *places),
        method=found.method,
    )


def _told(
    db: sqlite3.Connection, market: Market, asks: list[Asked], seen: Views, found: Pairs
) -> tuple[MatchScore, ...]:
    """Return the pairs with their reasons; beyond `EXPLAINED` of them, with the numbers alone."""
    cells = list(zip(found.rows.tolist(), found.columns.tolist(), strict=True))
    full = [
        explain(
            asks[row],
            score(asks[row], market.pool),
            column,
            queries.profile(db, market.pool.ids[column]),
        )
        for row, column in cells[:EXPLAINED]
    ]
    ids = (market.pool.ids, asks)
    return (*full, *(_short(ids, seen, cell) for cell in cells[EXPLAINED:]))


def _short(ids: tuple[list[str], list[Asked]], seen: Views, cell: tuple[int, int]) -> MatchScore:
    providers, asks = ids
    numbers = {
        name: round(float(getattr(seen, name)[cell]), 4)
        for name in ("total", "client", "provider", "confidence")
    }
    return MatchScore(
        need_id=asks[cell[0]].need.need_id,
        provider_id=providers[cell[1]],
        total=numbers["total"],
        client_view=numbers["client"],
        provider_view=numbers["provider"],
        confidence=min(1.0, numbers["confidence"]),
    )
