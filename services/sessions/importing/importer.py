"""Answers `session.import`: a document becomes facts, the same document again none."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from services.sessions import queries
from services.sessions.heads import Heads
from services.sessions.importing.document import Understood, understand
from services.sessions.importing.drafts import Read, events
from services.sessions.importing.repeats import key_of, known_of
from services.sessions.index import Index
from services.sessions.journal import Journal
from shared.bus import invalid
from shared.errors import InvalidInput
from shared.events import SessionAppended, SessionEvent, SessionImport, SessionImported

TOLD = 100
"""Places that were not understood which the answer names."""

_EVENTS: TypeAdapter[list[SessionEvent]] = TypeAdapter(list[SessionEvent])


class Importer:
    """Takes documents into sessions."""

    def __init__(self, index: Index, journal: Journal) -> None:
        self._index = index
        self._journal = journal

    async def take(self, ask: SessionImport) -> SessionImported:
        """Answer `session.import`; raise `InvalidInput` for what is no document."""
        session_id = ask.session_id or session_name(ask.name)
        understood, made = _events_of(ask, session_id)
        place = await queries.place(self._index.reader, session_id)
        known: list[SessionEvent] = []
        if place is not None and place.namespace == ask.namespace:
            made, known = await self._apart(await self._joining(made), ask.namespace)
        answers = await self._journal.record_all(made)
        stored = list(zip(made, answers, strict=True))
        done = _answer(ask, session_id, understood, stored)
        last_seq = done.last_seq or (place.last_seq if place else 0)
        duplicates = done.duplicates + len(known)
        return done.model_copy(update={"duplicates": duplicates, "last_seq": last_seq})

    async def _apart(
        self, made: list[SessionEvent], namespace: str
    ) -> tuple[list[SessionEvent], list[SessionEvent]]:
        """Return what is new to the session, and what it says already in other events."""
        head = await Heads(self._index).of(namespace, made[0].session_id)
        said = known_of(head)
        ids = await queries.ids_of(self._index.reader, made[0].session_id)
        new = [each for each in made if each.event_id in ids or key_of(each) not in said]
        return new, [each for each in made if each not in new]

    async def _joining(self, made: list[SessionEvent]) -> list[SessionEvent]:
        """Turn the opening of the document into a note where another opening was before it."""
        first = made[0]
        known = await queries.event_of(self._index.reader, first.session_id, first.event_id)
        if first.kind != "session.opened" or (known is not None and known.kind == first.kind):
            return made
        body = str(first.data.get("goal", ""))
        return [first.model_copy(update={"kind": "note", "body": body}), *made[1:]]


def session_name(name: str) -> str:
    """Return the name of a document as a session id: `handoff-2025-11-15` for that file."""
    stem = re.sub(r"\.\w{1,8}$", "", name)
    kept = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-")[:64]
    return kept or f"import-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _events_of(ask: SessionImport, session_id: str) -> tuple[Understood, list[SessionEvent]]:
    found = _json(ask.text)
    if isinstance(found, dict) and isinstance(found.get("events"), list):
        lines = len(ask.text.splitlines())
        return Understood(Read(), lines, 0), _moved(found["events"], ask.namespace, session_id)
    text = ask.text
    if isinstance(found, dict) and isinstance(found.get("markdown"), str):
        text = found["markdown"]
    understood = understand(text, ask.name)
    return understood, events(understood.read.drafts, ask.namespace, session_id, ask.name)


def _json(text: str) -> Any:
    if not text.lstrip().startswith("{"):
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _moved(rows: list[Any], namespace: str, session_id: str) -> list[SessionEvent]:
    """Return exported events as they were, in this namespace and session."""
    place = {"namespace": namespace, "session_id": session_id}
    try:
        found = _EVENTS.validate_python(
            [row | place if isinstance(row, dict) else row for row in rows]
        )
    except ValidationError as error:
        raise invalid(error) from None
    found = [event for event in found if event.kind != "session.forgotten"]
    if not found:
        raise InvalidInput("events: there are none", field="events")
    return found


def _answer(
    ask: SessionImport,
    session_id: str,
    understood: Understood,
    stored: Sequence[tuple[SessionEvent, SessionAppended]],
) -> SessionImported:
    new = [event.kind for event, answer in stored if not answer.duplicate]
    return SessionImported(
        session_id=session_id,
        namespace=ask.namespace,
        lines=understood.lines,
        events=len(new),
        duplicates=len(stored) - len(new),
        repaired=understood.repaired,
        kinds=dict(sorted(Counter(new).items())),
        not_understood=tuple(understood.read.unknown[:TOLD]),
        last_seq=max((answer.seq for _, answer in stored), default=0),
    )
