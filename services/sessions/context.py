"""What an agent should know before a task: open items, live decisions, recall, in a budget.

A session that comes from no other begins with what the last one handed over.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterable

from services.sessions import queries
from services.sessions.fold import Head
from services.sessions.handoff import handoff
from services.sessions.heads import Heads
from services.sessions.index import Index
from services.sessions.recall import Nearness, search
from services.sessions.words import folded
from shared.events import SearchAsk, SessionContext, SessionContextAsk

SHARES = {"open": 0.4, "decisions": 0.25, "before": 0.2}
"""Most of the budget that a part may take; recall has what is left."""

TITLES = {
    "open": "Open items",
    "decisions": "Decisions",
    "before": "From the last handoff",
    "recall": "From earlier work",
}
RECALLED = 20
OUTCOMES = ("task.done", "task.failed")
LONGEST = 400
"""Characters of one line."""

Line = tuple[str, str]


class Contexts:
    """Answers `session.context` from the index alone."""

    def __init__(self, index: Index, heads: Heads, near: Nearness) -> None:
        self._index = index
        self._heads = heads
        self._near = near

    async def context(self, ask: SessionContextAsk) -> SessionContext:
        """Return what fits into the budget; the most pressing lines come first."""
        head = await self._head(ask)
        parts = {
            "open": list(_lines(head, "open")),
            "decisions": list(_lines(head, "decisions")),
            "before": [line async for line in self._before(ask, head)],
            "recall": [line async for line in self._recalled(ask)],
        }
        return _within(ask, parts)

    async def _head(self, ask: SessionContextAsk) -> Head | None:
        """Return the session's head; a session that is not there yet has none."""
        if ask.session_id is None:
            return None
        place = await queries.place(self._index.reader, ask.session_id)
        if place is None:
            return None
        return await self._heads.of(ask.namespace, ask.session_id)

    async def _before(self, ask: SessionContextAsk, head: Head | None) -> AsyncIterator[Line]:
        """Yield what the session that was handed over last left open and decided."""
        if ask.session_id is None or (head is not None and head.origins):
            return
        reader = self._index.reader
        last = await queries.handed_over_before(reader, ask.namespace, ask.session_id)
        if last is None:
            return
        before = await self._heads.of(ask.namespace, last)
        for name in ("open", "decisions"):
            for event_id, text in _lines(before, name):
                yield event_id, f"{last}: {text}"

    async def _recalled(self, ask: SessionContextAsk) -> AsyncIterator[Line]:
        if not ask.query.strip():
            return
        wish = SearchAsk(namespace=ask.namespace, query=ask.query, limit=RECALLED)
        near = await self._near(ask.namespace, ask.query)
        asked = folded(ask.query.strip().splitlines()[0])
        for hit in (await search(self._index, wish, near)).hits:
            if hit.kind in OUTCOMES and folded(hit.title) == asked:
                continue  # the same was asked before: an answer that quotes answers says less
            text = hit.title if hit.text in ("", hit.title) else f"{hit.title}: {hit.text}"
            yield hit.event_id, f"{hit.kind}, {hit.actor}: {text}"


def _lines(head: Head | None, name: str) -> Iterable[Line]:
    if head is None:
        return
    sections = handoff(head).document["sections"]
    for line in next(section["lines"] for section in sections if section["name"] == name):
        extra = f" ({line['why']})" if line.get("why") else ""
        mark = f"[{line['priority']}] " if line.get("priority") else ""
        yield line["event_id"], f"{mark}{line['text']}{extra}"


def _within(ask: SessionContextAsk, parts: dict[str, list[Line]]) -> SessionContext:
    """Fill the parts in order, each up to its share, without saying an event twice."""
    rows: list[str] = []
    told: dict[str, None] = {}
    spent = given = 0
    for name, lines in parts.items():
        limit = min(ask.tokens, spent + int(ask.tokens * SHARES.get(name, 1.0)))
        new = [line for line in lines if line[0] not in told]
        chosen, spent = _chosen(f"## {TITLES[name]}", new, spent, limit)
        given += len(new)
        rows += [row for _, row in chosen]
        told |= dict.fromkeys(event_id for event_id, _ in chosen if event_id)
    return SessionContext(
        namespace=ask.namespace,
        text="\n".join(rows),
        tokens=spent,
        event_ids=tuple(told),
        left_out=given - len(told),
    )


def _chosen(heading: str, lines: list[Line], spent: int, limit: int) -> tuple[list[Line], int]:
    """Return a part's heading and the lines that fit, and what is spent then."""
    chosen: list[Line] = []
    for event_id, text in lines:
        row = f"- {_short(text)} `{event_id}`"
        cost = tokens_of(row) + (0 if chosen else tokens_of(heading))
        if spent + cost <= limit:
            chosen += [(event_id, row)] if chosen else [("", heading), (event_id, row)]
            spent += cost
    return chosen, spent


def tokens_of(text: str) -> int:
    """Return the estimated tokens of one line and its end: characters / 4, rounded up."""
    return math.ceil((len(text) + 1) / 4)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 2].rstrip()} …"
