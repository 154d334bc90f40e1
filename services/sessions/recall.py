"""Search: words of one namespace, weighed against that namespace alone, then fused.

Neighbours count for the score of a hit; they are no hits themselves. A hit holds a word of the
query, or was written, beside such an event, by somebody whom the query names.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import aiosqlite

from services.sessions import fusion, words
from services.sessions.fusion import Ranked, Spot
from services.sessions.index import Index
from services.sessions.stored import stored_event
from shared.events import SearchAsk, SearchHit, SearchReply, StoredEvent

MOST = 4000
"""Events looked at for one word; of a word that more events hold, the latest ones."""

BUDGET = 1500
"""Events scored for one query: the rarest words first, and at least one word."""

SEEDS = 100
"""Best events by words whose neighbours are looked at too."""

ARM = (
    "SELECT * FROM (SELECT {n}, rowid, -bm25(words) FROM words WHERE words MATCH ?"
    " ORDER BY rowid DESC LIMIT {most})"
)
COUNT = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT {most})"
SPOTS = """
SELECT near.seq, near.session, near.position, near.actor
FROM json_each(?) JOIN event ON event.seq = json_each.value
JOIN session ON session.id = event.session AND session.namespace = ?
JOIN event AS near ON near.session = event.session
    AND near.position BETWEEN event.position - 2 AND event.position + 2
    AND near.kind != 'session.forgotten'
"""
BODIES = """
SELECT event.seq, event.body FROM json_each(?) JOIN event ON event.seq = json_each.value
JOIN session ON session.id = event.session WHERE session.namespace = ?
"""
SIZES = """
SELECT coalesce(sum(positions), 0), (SELECT coalesce(sum(positions), 0) FROM session)
FROM session WHERE namespace = ?
"""


async def search(index: Index, ask: SearchAsk) -> SearchReply:
    """Return the best events for the query; nothing of another namespace is ever read."""
    ranked = await rank(index, ask)
    bodies = await _bodies(index.reader, [hit.seq for hit in ranked], ask.namespace)
    return SearchReply(hits=tuple(_hit(hit, bodies[hit.seq]) for hit in ranked))


async def rank(index: Index, ask: SearchAsk) -> list[Ranked]:
    """Return the best events with the parts of their scores, the best first."""
    number = index.number_of(ask.namespace)
    asked = words.asked(ask.query)
    if number is None or not asked:
        return []
    reader = index.reader
    (mine, everyone), *_ = await reader.execute_fetchall(SIZES, (ask.namespace,))
    terms = await _rarest(reader, [words.term(number, word) for word in asked], mine)
    scores = await word_scores(reader, terms, (mine, everyone))
    best = sorted(scores, key=lambda seq: (-scores[seq], -seq))[:SEEDS]
    spots = await _spots(reader, best, ask.namespace)
    kept = {seq: scores.get(seq, 0.0) for seq in spots}
    fused = fusion.fuse(kept, spots, fusion.named(asked, spots), mine)
    ranked = [hit for hit in fused if hit.parts["words"] > 0 or hit.parts["actor"] > 0]
    if ask.session_id is not None:
        only = await _session(reader, ask)
        ranked = [hit for hit in ranked if spots[hit.seq].session == only]
    return ranked[: ask.limit]


async def _rarest(reader: aiosqlite.Connection, terms: list[str], mine: int) -> list[str]:
    """Return the terms that are worth scoring; in a small namespace that is all of them.

    The most frequent words say least and cost most: without them a query stays fast.
    """
    if mine <= BUDGET:
        return terms
    sql = " UNION ALL ".join(COUNT.format(most=MOST) for _ in terms)
    rows = await reader.execute_fetchall(sql, tuple(terms))
    kept: list[str] = []
    total = 0
    for count, term in sorted(zip((row[0] for row in rows), terms, strict=True)):
        total += count
        if kept and total > BUDGET:
            break
        if count:
            kept.append(term)
    return kept


async def word_scores(
    reader: aiosqlite.Connection, terms: Sequence[str], sizes: tuple[int, int]
) -> dict[int, float]:
    """Return the BM25 score of each event that holds a term, with the namespace's own rarity."""
    if not terms:
        return {}
    sql = " UNION ALL ".join(ARM.format(n=n, most=MOST) for n in range(len(terms)))
    rows = await reader.execute_fetchall(sql, tuple(terms))
    holding: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for n, seq, score in rows:
        holding[n].append((seq, score))
    scores: dict[int, float] = defaultdict(float)
    for found in holding.values():
        weight = _rarity(len(found), sizes)
        for seq, score in found:
            scores[seq] += weight * score
    return scores


def _rarity(holding: int, sizes: tuple[int, int]) -> float:
    """Return what turns FTS5's score, with rarity over the file, into one over the namespace.

    FTS5 uses log((N - n + 0.5) / (n + 0.5)), at least 1e-6; Lucene's form, log(1 + the same
    fraction), is never negative. n counts events with the term, N all events.
    """
    mine, everyone = (max(size, holding) for size in sizes)
    whole = max(math.log((everyone - holding + 0.5) / (holding + 0.5)), 1e-6)
    return math.log(1 + (mine - holding + 0.5) / (holding + 0.5)) / whole


async def _spots(
    reader: aiosqlite.Connection, seqs: Sequence[int], namespace: str
) -> Mapping[int, Spot]:
    """Return where the events and their neighbours stand."""
    rows = await reader.execute_fetchall(SPOTS, (json.dumps(seqs), namespace))
    return {seq: Spot(session, position, actor) for seq, session, position, actor in rows}


async def _session(reader: aiosqlite.Connection, ask: SearchAsk) -> int | None:
    sql = "SELECT id FROM session WHERE session_id = ? AND namespace = ?"
    rows = await reader.execute_fetchall(sql, (ask.session_id, ask.namespace))
    return next((int(row[0]) for row in rows), None)


async def _bodies(
    reader: aiosqlite.Connection, seqs: Sequence[int], namespace: str
) -> dict[int, StoredEvent]:
    rows = await reader.execute_fetchall(BODIES, (json.dumps(seqs), namespace))
    return {int(seq): stored_event(int(seq), body) for seq, body in rows}


def _hit(hit: Ranked, event: StoredEvent) -> SearchHit:
    return SearchHit(
        event_id=event.event_id,
        session_id=event.session_id,
        kind=event.kind,
        title=event.title,
        text=event.body or event.title,
        actor=event.actor,
        at=event.at,
        score=round(hit.score, 4),
        score_parts={name: round(part, 4) for name, part in hit.parts.items()},
    )
