"""A whole document: checked, repaired, taken apart, each part by its rule."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.sessions.handoff import NO_GOAL
from services.sessions.importing import rules, values
from services.sessions.importing.drafts import Draft, Read
from services.sessions.importing.outline import Section, outline, text_of, walk
from services.sessions.importing.roles import role_of
from shared.errors import InvalidInput
from shared.mojibake import repair

RULES: dict[str, Callable[[Section, Read], None]] = {
    "next": rules.notes_with("next"),
    "pending": rules.pending,
    "decisions": rules.decisions,
    "failed": rules.notes_with("failed"),
    "learnings": rules.learnings,
    "risks": rules.notes_with("risk"),
    "metrics": values.metrics,
    "commands": rules.commands,
    "artifacts": rules.artifacts,
    "state": values.state,
    "notes": rules.notes,
    "done": rules.notes_with("accomplished"),
}
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
BINARY_SHARE = 0.01
"""A text of which more than this share are control characters is no text."""


@dataclass
class Understood:
    """What a document came to."""

    read: Read
    lines: int
    repaired: int


def understand(text: str, name: str) -> Understood:
    """Return the facts of a document, the opening of the session first."""
    if not text.strip():
        raise InvalidInput(f"text: {name} is empty", field="text")
    if len(CONTROL.findall(text)) > BINARY_SHARE * len(text):
        raise InvalidInput(f"text: {name} is binary, not Markdown", field="text")
    whole, repaired = repair(CONTROL.sub("", text))
    root = outline(whole)
    read = Read([_opening(root, name)])
    _visit(root, read)
    return Understood(read, len(whole.splitlines()), repaired)


def _opening(root: Section, name: str) -> Draft:
    first = next((s for s in walk(root) if s.title), None)
    goal = next((s for s in walk(root) if role_of(s.title) == "goal" and s.blocks), None)
    data: dict[str, object] = {"source": name}
    told = text_of(goal.blocks) if goal is not None else ""
    if told and NO_GOAL not in told.splitlines()[0]:
        data["goal"] = told
    title = first.title if first is not None else name
    return Draft("session.opened", title, first.line if first else 1, data=data)


def _visit(section: Section, read: Read) -> None:
    """Hand a known section to its rule with all below it; look into the others."""
    role = None if _is_title(section) else role_of(section.title)
    if role in RULES:
        RULES[role](section, read)
        return
    if role not in ("goal", "skip"):
        alone = not section.sections and not section.blocks
        if section.blocks or alone:
            rules.note(section, read)
        if role is None and section.title and (section.blocks or alone):
            why = "a heading alone" if alone else "heading not known"
            read.doubt(section.line, section.title, f"{why}; kept as a note")
    for part in section.sections:
        _visit(part, read)


def _is_title(section: Section) -> bool:
    """Tell whether this heading names the whole document and not a part of it."""
    return section.level <= 1 and bool(section.sections)
