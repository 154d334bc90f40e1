"""Search: the best events of a namespace as spans, each with its neighbours, within a budget."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from services.sessions import ranking, words
from services.sessions.facts import said
from services.sessions.fusion import Ranked
from services.sessions.index import Index
from services.sessions.ranking import Question
from services.sessions.stored import stored_event
from shared.events import SearchAsk, SearchHit, SearchReply, SpanLine, StoredEvent

BODIES = """
SELECT event.seq, event.body FROM json_each(?) JOIN event ON event.seq = json_each.value
JOIN session ON session.id = event.session WHERE session.namespace = ?
"""
AROUND = """
SELECT event.seq, near.position - event.position, near.seq, near.body
FROM json_each(?) JOIN event ON event.seq = json_each.value
JOIN session ON session.id = event.session AND session.namespace = ?
JOIN event AS near ON near.session = event.session AND near.seq != event.seq
    AND near.position BETWEEN event.position - ? AND event.position + ?
    AND near.kind != 'session.forgotten'
ORDER BY event.seq, near.position
"""

Near = tuple[Mapping[int, float], Sequence[int]]
"""Standard deviations above the mean by event, and the best events: what `Meaning.near` gives."""
NOTHING: Near = ({}, ())
Nearness = Callable[[str, str], Awaitable[Near]]
"""From a namespace and a query to what is near."""
Found = tuple[list[Ranked], dict[int, StoredEvent], dict[int, tuple[SpanLine, ...]]]


async def by_words_alone(namespace: str, query: str) -> Near:
    """Know nothing of meaning."""
    return NOTHING


async def search(index: Index, ask: SearchAsk, near: Near = NOTHING) -> SearchReply:
    """Return the best events for the query; nothing of another namespace is ever read.

    `near` are events by meaning, when an embedding model helps.
    """
    question = question_of(index, ask, near)
    ways = ("words", "vectors") if near[1] else ("words",)
    if question is None:
        return SearchReply(ways=ways)
    ranked, bodies, around = await index.read(lambda db: _look(db, question, ask))
    hits = [_hit(hit, bodies[hit.seq], around.get(hit.seq, ())) for hit in ranked]
    kept = list(_affordable(hits, ask.tokens))
    return SearchReply(
        hits=tuple(kept),
        ways=ways,
        tokens=sum(hit.tokens for hit in kept),
        left_out=len(hits) - len(kept),
    )


async def rank(index: Index, ask: SearchAsk, near: Near = NOTHING) -> list[Ranked]:
    """Return the best events with the parts of their scores, the best first."""
    question = question_of(index, ask, near)
    if question is None:
        return []
    return (await index.read(lambda db: ranking.rank(db, question)))[: ask.limit]


def question_of(index: Index, ask: SearchAsk, near: Near = NOTHING) -> Question | None:
    """Return what to look for; None when nothing can be found."""
    number = index.number_of(ask.namespace)
    asked = words.asked(ask.query)
    if number is None or not (asked or near[1]):
        return None
    return Question(ask.namespace, number, asked, ask.session_id, *near)


def _look(db: sqlite3.Connection, question: Question, ask: SearchAsk) -> Found:
    ranked = ranking.rank(db, question)[: ask.limit]
    given = json.dumps([hit.seq for hit in ranked]), ask.namespace
    rows = db.execute(BODIES, given).fetchall()
    bodies = {int(seq): stored_event(int(seq), body) for seq, body in rows}
    if not ask.around:
        return ranked, bodies, {}
    return ranked, bodies, _around(db.execute(AROUND, (*given, ask.around, ask.around)))


def _around(rows: Iterable[tuple[int, int, int, bytes]]) -> dict[int, tuple[SpanLine, ...]]:
    spans: dict[int, tuple[SpanLine, ...]] = {}
    for seq, step, near, body in rows:
        event = stored_event(near, body)
        line = SpanLine(
            event_id=event.event_id, step=step, kind=event.kind, actor=event.actor,
            title=event.title,
        )  # fmt: skip
        spans[seq] = (*spans.get(seq, ()), line)
    return spans


def _affordable(hits: Iterable[SearchHit], tokens: int | None) -> Iterable[SearchHit]:
    """Yield the best hits that fit; a hit that does not fit loses its neighbours first."""
    left = math.inf if tokens is None else tokens
    for hit in hits:
        given = hit
        if given.tokens > left:
            given = hit.model_copy(update={"around": (), "tokens": tokens_of(hit, ())})
        if given.tokens <= left:
            left -= given.tokens
            yield given


def tokens_of(hit: SearchHit, around: Sequence[SpanLine]) -> int:
    """Return the estimated tokens of a hit and its neighbours: characters / 4, rounded up."""
    text = 0 if hit.text == hit.title else len(hit.text)
    beside = sum(len(line.title) + len(line.actor) + len(line.event_id) for line in around)
    return math.ceil((len(hit.title) + text + len(hit.actor) + len(hit.event_id) + beside) / 4)


def _hit(hit: Ranked, event: StoredEvent, around: Sequence[SpanLine]) -> SearchHit:
    made = SearchHit(
        event_id=event.event_id,
        session_id=event.session_id,
        kind=event.kind,
        title=event.title,
        text=said(event) or event.title,
        actor=event.actor,
        at=event.at,
        score=round(hit.score, 4),
        score_parts={name: round(part, 4) for name, part in hit.parts.items()},
        around=tuple(around),
    )
    return made.model_copy(update={"tokens": tokens_of(made, around)})
