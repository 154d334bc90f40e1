"""Ranking in one visit to the file: words of one namespace, weighed against that alone, then fused.

Neighbours count for the score of a hit; they are no hits themselves. A hit holds a word of the
query, or means nearly the same, or was written beside such an event by somebody whom it names.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.sessions import fusion, words
from services.sessions.fusion import Ranked, Spot

MOST = 4000
"""Events looked at for one word; of a word that more events hold, the latest ones."""

BUDGET = 800
"""Events scored for one query: the rarest words first, and at least one word."""

SEEDS = 60
"""Best events by words, and by meaning, whose neighbours are looked at too."""

NEARLY = 2.0
"""Standard deviations above the namespace's mean at which a meaning alone makes a hit."""

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
SIZES = """
SELECT coalesce(sum(positions), 0), (SELECT coalesce(sum(positions), 0) FROM session)
FROM session WHERE namespace = ?
"""
SESSION = "SELECT id FROM session WHERE session_id = ? AND namespace = ?"


@dataclass(frozen=True)
class Question:
    """What is looked for in one namespace, whose number stands in its terms.

    `near` gives events by meaning: how many standard deviations above the mean of the namespace;
    `top` are the best of them.
    """

    namespace: str
    number: int
    asked: Sequence[str]
    session_id: str | None = None
    near: Mapping[int, float] = field(default_factory=dict)
    top: Sequence[int] = ()


def rank(db: sqlite3.Connection, question: Question) -> list[Ranked]:
    """Return the events with the parts of their scores, the best first."""
    ((mine, everyone),) = db.execute(SIZES, (question.namespace,)).fetchall()
    given = [words.term(question.number, word) for word in question.asked]
    scores = word_scores(db, _rarest(db, given, mine), (mine, everyone))
    spots = _spots(db, [*_best(scores), *question.top], question.namespace)
    kept = {seq: scores.get(seq, 0.0) for seq in spots}
    actors = fusion.named(question.asked, spots)
    fused = fusion.fuse(kept, spots, actors, mine, question.near)
    ranked = [hit for hit in fused if _is_hit(hit)]
    if question.session_id is None:
        return ranked
    only = next(iter(db.execute(SESSION, (question.session_id, question.namespace))), (None,))[0]
    return [hit for hit in ranked if spots[hit.seq].session == only]


def _is_hit(hit: Ranked) -> bool:
    near = hit.parts.get("vectors", 0.0) > fusion.MEANING * NEARLY
    return near or hit.parts["words"] > 0 or hit.parts["actor"] > 0


def _best(scores: Mapping[int, float]) -> list[int]:
    return sorted(scores, key=lambda seq: (-scores[seq], -seq))[:SEEDS]


def _rarest(db: sqlite3.Connection, terms: list[str], mine: int) -> list[str]:
    """Return the terms that are worth scoring; in a small namespace that is all of them.

    The most frequent words say least and cost most: without them a query stays fast.
    """
    if mine <= BUDGET or not terms:
        return terms
    sql = " UNION ALL ".join(COUNT.format(most=MOST) for _ in terms)
    counts = (row[0] for row in db.execute(sql, terms).fetchall())
    kept: list[str] = []
    total = 0
    for count, term in sorted(zip(counts, terms, strict=True)):
        total += count
        if kept and total > BUDGET:
            break
        if count:
            kept.append(term)
    return kept


def word_scores(
    db: sqlite3.Connection, terms: Sequence[str], sizes: tuple[int, int]
) -> dict[int, float]:
    """Return the BM25 score of each event that holds a term, with the namespace's own rarity."""
    if not terms:
        return {}
    sql = " UNION ALL ".join(ARM.format(n=n, most=MOST) for n in range(len(terms)))
    holding: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for n, seq, score in db.execute(sql, terms).fetchall():
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


def _spots(db: sqlite3.Connection, seqs: Sequence[int], namespace: str) -> dict[int, Spot]:
    """Return where the events and their neighbours stand."""
    rows = db.execute(SPOTS, (json.dumps(seqs), namespace)).fetchall()
    return {row[0]: Spot(*row[1:]) for row in rows}
