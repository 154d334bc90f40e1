"""What an import makes before it is stored: drafts of facts, and what was not understood."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.events import Misunderstood, SessionEvent, SessionKind

LONGEST_TITLE = 500


@dataclass
class Draft:
    """A fact to be, and the line of the document that it comes from."""

    kind: SessionKind
    title: str
    line: int
    body: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


@dataclass
class Read:
    """Drafts in the order of the document, and what was kept only as notes."""

    drafts: list[Draft] = field(default_factory=list)
    unknown: list[Misunderstood] = field(default_factory=list)

    def add(self, draft: Draft) -> None:
        """Take one more draft."""
        self.drafts.append(draft)

    def doubt(self, line: int, text: str, why: str) -> None:
        """Report something that was not understood."""
        self.unknown.append(Misunderstood(line=line, text=text[:200], why=why))


def events(
    drafts: Iterable[Draft], namespace: str, session_id: str, name: str
) -> list[SessionEvent]:
    """Return the drafts as events; the same document gives the same ids."""
    seen: dict[str, int] = {}
    made = []
    for draft in drafts:
        key = "\x00".join((session_id, draft.kind, draft.title, draft.body, str(draft.data)))
        digest = hashlib.sha256(key.encode()).hexdigest()[:24]
        seen[digest] = seen.get(digest, 0) + 1
        made.append(
            SessionEvent(
                event_id=f"import-{digest}-{seen[digest]}",
                namespace=namespace,
                session_id=session_id,
                kind=draft.kind,
                title=draft.title[:LONGEST_TITLE].strip() or "untitled",
                body=draft.body,
                actor="import",
                refs=(f"{name}:{draft.line}",),
                tags=draft.tags,
                data=draft.data,
            )
        )
    return made
