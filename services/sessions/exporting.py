"""A session as a document that `session.import` takes back: notes for agents, or JSON."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from services.sessions import queries
from services.sessions.fold import Head
from services.sessions.heads import Heads
from services.sessions.index import Index
from shared.errors import InvalidInput
from shared.events import SessionExport, SessionExported, StoredEvent
from shared.streams import MAX_PAYLOAD

LARGEST = MAX_PAYLOAD - 300_000
"""Bytes of one answer; a longer session is exported page by page with `session.load`."""

HEADINGS = {
    "Commands": "command", "Next steps": "next", "Failed approaches": "failed",
    "Risks": "risk", "Accomplished": "accomplished",
}  # fmt: skip
"""Under which heading notes with a tag stand, so that an import gives them their tag again."""

FIELDS = ("what", "why", "impact", "status", "rejected", "evidence", "owner", "due")
"""Fields of `data` that stand below an item."""

FORMAT = "sovereign.session.v1"


class Exporter:
    """Answers `session.export` from the index."""

    def __init__(self, index: Index, heads: Heads) -> None:
        self._index = index
        self._heads = heads

    async def export(self, ask: SessionExport) -> SessionExported:
        """Return the document; raise `InvalidInput` when it is too large for one answer."""
        head = await self._heads.of(ask.namespace, ask.session_id)
        if ask.form == "notes":
            text, name = notes(head), f"{ask.session_id}.md"
        else:
            place = await queries.owned(self._index.reader, ask.namespace, ask.session_id)
            text = _json(head, await queries.events_of(self._index.reader, place))
            name = f"{ask.session_id}.json"
        if len(text.encode()) > LARGEST:
            raise InvalidInput("form: too large for one answer; use session.load", field="form")
        return SessionExported(
            session_id=ask.session_id, name=name, text=text, events=head.events, seq=head.seq
        )


def _json(head: Head, events: Iterable[StoredEvent]) -> str:
    rows = [event.model_dump(mode="json") for event in events]
    document = {
        "format": FORMAT, "session_id": head.session_id, "namespace": head.namespace,
        "seq": head.seq, "events": rows,
    }  # fmt: skip
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"


def notes(head: Head) -> str:
    """Return what agents of any make read at their start: AGENTS.md, with typed headings.

    The same head gives the same text; imported again it gives the same facts.
    """
    rows = [f"# {_line(head.title or head.session_id)}", ""]
    if head.goal:
        rows += ["## Goal", "", head.goal.strip(), ""]
    tagged = {title: _tagged(head, tag) for title, tag in HEADINGS.items()}
    rows += _part("Commands", tagged.pop("Commands"))
    rows += _part("Decisions", head.decisions.values())
    rows += _part("Learnings", head.learnings.values())
    rows += _part("Open items", head.pending.values())
    rows += _part("State", head.state.values())
    rows += _part("Files", head.artifacts.values())
    for title, events in tagged.items():
        rows += _part(title, events)
    headed = set(HEADINGS.values())
    rows += _part("Notes", (n for n in head.notes.values() if not headed.intersection(n.tags)))
    return "\n".join(rows).rstrip("\n") + "\n"


def _tagged(head: Head, tag: str) -> list[StoredEvent]:
    """Return the notes whose first heading is that of `tag`."""
    first = (
        (note, next((each for each in HEADINGS.values() if each in note.tags), None))
        for note in head.notes.values()
    )
    return [note for note, found in first if found == tag]


def _part(title: str, events: Iterable[StoredEvent]) -> list[str]:
    rows = [row for event in events for row in _item(event)]
    return [f"## {title}", "", *rows, ""] if rows else []


def _item(event: StoredEvent) -> list[str]:
    data = event.data
    if event.kind == "state.set":
        return [f"- {_line(str(data.get('key')))} = {_value(data.get('value'))}"]
    if event.kind == "artifact":
        about = "" if event.title == data.get("uri") else f" - {_line(event.title)}"
        return [f"- {_line(str(data.get('uri')))}{about}"]
    mark = f"[{data['priority']}] " if event.kind == "pending.add" and "priority" in data else ""
    rows = [f"- {mark}{_line(event.title)}"]
    rows += [f"  - {name}: {_value(data[name])}" for name in FIELDS if data.get(name)]
    return rows + [f"  > {row}".rstrip() for row in event.body.strip().splitlines()]


def _value(value: object) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "; ".join(map(_line, value))
    return _line(value if isinstance(value, str) else orjson.dumps(value).decode())


def _line(text: str) -> str:
    return " ".join(text.split())
