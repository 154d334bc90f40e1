"""The handoff document: twelve sections, a pure function of the head, each line with its event.

The same session at the same sequence gives the same bytes: nothing here reads a clock. What is
open, decided or learned is never cut; when the document is too long, the oldest finished things go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from services.sessions import markdown
from services.sessions.fold import Head
from shared.events import Handoff, StoredEvent
from shared.events.tasks import Priority

SCHEMA = "sovereign.handoff.v1"
WORDS = 1500
"""Size budget of the whole document, in words."""

NO_GOAL = "no goal was given"

VERIFY_TAGS = frozenset({"command", "verify"})
RISK_TAGS = frozenset({"risk", "blocker"})
FAILED_TAGS = frozenset({"failed", "failed-approach"})
ORDER = {priority.value: place for place, priority in enumerate(Priority)}

Line = dict[str, Any]


def handoff(head: Head) -> Handoff:
    """Return the document as JSON and as Markdown, with the checksum of the JSON."""
    document = _document(head)
    checksum = checksum_of(document)
    return Handoff(
        session_id=head.session_id,
        namespace=head.namespace,
        seq=head.seq,
        checksum=checksum,
        markdown=markdown.render(document, checksum),
        document=document,
    )


def checksum_of(document: dict[str, Any]) -> str:
    """Return the SHA-256 of the document's canonical JSON (sorted keys, no spaces), in hex."""
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _document(head: Head) -> dict[str, Any]:
    sections = [
        {"number": number, "name": name, "title": title, "lines": list(lines(head)), "cut": 0}
        for number, (name, title, lines) in enumerate(SECTIONS, 1)
    ]
    _shorten(sections)
    return {
        "schema": SCHEMA,
        "session_id": head.session_id,
        "namespace": head.namespace,
        "seq": head.seq,
        "events": head.events,
        "title": head.title or head.session_id,
        "status": head.status,
        "first_at": head.opened.at.isoformat() if head.opened else None,
        "last_at": head.last.at.isoformat() if head.last else None,
        "actors": head.actors,
        "sections": sections,
    }


def _shorten(sections: list[dict[str, Any]]) -> None:
    """Cut the oldest finished things until the document is within its budget."""
    over = sum(_words(line) for section in sections for line in section["lines"]) - WORDS
    stands = next(section for section in sections if section["name"] == "stands")
    while over > 0 and len(stands["lines"]) > 1:
        over -= _words(stands["lines"].pop(0))
        stands["cut"] += 1


def _words(line: Line) -> int:
    return len(f"{line['text']} {line.get('detail', '')}".split())


def _line(event: StoredEvent, text: str = "", /, **more: Any) -> Line:
    """Return one line about an event; empty values are left out."""
    line = {"event_id": event.event_id, "text": text or event.title}
    detail = {"detail": event.body} if event.body and event.body.strip() != line["text"] else {}
    return (
        line | detail | {key: value for key, value in more.items() if value not in ("", None, [])}
    )


def _goal(head: Head) -> Iterable[Line]:
    if head.opened is not None and head.last is not None:
        yield {"event_id": head.opened.event_id, "text": head.goal or NO_GOAL}
        status = f"{head.status}, {head.events} events, {len(head.pending)} open items"
        yield {"event_id": head.last.event_id, "text": status}


def _stands(head: Head) -> Iterable[Line]:
    notes = [note for note in head.notes.values() if not _special(note)]
    for event in sorted(head.done + notes, key=lambda event: event.seq):
        data = event.data
        item = str(data.get("item") or event.title)
        yield _line(event, item, engine=data.get("engine"), is_llm=data.get("is_llm"),
                    tags=list(event.tags))  # fmt: skip


def _special(note: StoredEvent) -> bool:
    return bool((VERIFY_TAGS | RISK_TAGS | FAILED_TAGS).intersection(note.tags))


def _open(head: Head) -> Iterable[Line]:
    items = sorted(head.pending.values(), key=lambda e: (_rank(e), e.seq))
    for event in items:
        priority = str(event.data.get("priority") or "normal")
        yield _line(event, priority=priority, owner=event.data.get("owner"),
                    due=event.data.get("due"))  # fmt: skip


def _rank(event: StoredEvent) -> int:
    return ORDER.get(str(event.data.get("priority") or "normal"), len(ORDER))


def _decisions(head: Head) -> Iterable[Line]:
    for event in head.decisions.values():
        known = ("what", "why", "impact", "status", "rejected", "engine", "is_llm")
        yield _line(event, "", **{key: event.data.get(key) for key in known})


def _failed(head: Head) -> Iterable[Line]:
    for event in head.failed:
        yield _line(event, reason=event.data.get("reason"))
    yield from _tagged(head, FAILED_TAGS)


def _learnings(head: Head) -> Iterable[Line]:
    for event in head.learnings.values():
        known = ("evidence", "confidence", "engine", "is_llm")
        yield _line(event, "", **{key: event.data.get(key) for key in known})


def _state(head: Head) -> Iterable[Line]:
    for key, event in sorted(head.state.items()):
        yield {"event_id": event.event_id, "text": key, "value": event.data.get("value")}


def _artifacts(head: Head) -> Iterable[Line]:
    for uri, event in sorted(head.artifacts.items()):
        yield _line(event, uri=uri, sha256=event.data.get("sha256"))


def _risks(head: Head) -> Iterable[Line]:
    for event in head.pending.values():
        if RISK_TAGS.intersection(event.tags):
            yield _line(event)
    yield from _tagged(head, RISK_TAGS)


def _verify(head: Head) -> Iterable[Line]:
    yield from _tagged(head, VERIFY_TAGS)


def _tagged(head: Head, tags: frozenset[str]) -> Iterable[Line]:
    for event in head.notes.values():
        if tags.intersection(event.tags):
            yield _line(event)


def _resume(head: Head) -> Iterable[Line]:
    if head.last is not None:
        words = f"Continue session {head.session_id} (namespace {head.namespace}) after seq "
        yield {"event_id": head.last.event_id, "text": f"{words}{head.seq}."}


def _lineage(head: Head) -> Iterable[Line]:
    for event in head.origins:
        yield {"event_id": event.event_id, "text": event.title, "parents": event.data["parents"]}
    for event in head.handoffs:
        yield _line(event, checksum=event.data.get("checksum"))


SECTIONS: tuple[tuple[str, str, Callable[[Head], Iterable[Line]]], ...] = (
    ("goal", "Goal and status", _goal),
    ("stands", "Where things stand", _stands),
    ("open", "Open items", _open),
    ("decisions", "Decisions", _decisions),
    ("failed", "Failed approaches", _failed),
    ("learnings", "Learnings", _learnings),
    ("state", "State", _state),
    ("artifacts", "Artifacts", _artifacts),
    ("risks", "Risks and blockers", _risks),
    ("verify", "How to verify", _verify),
    ("resume", "Resume", _resume),
    ("lineage", "Lineage", _lineage),
)
