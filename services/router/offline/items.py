"""Items of work as a text gives them: title, sub-points, priority label, number, place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from services.router.offline.headings import plain
from services.router.offline.labels import (
    State,
    is_priority_heading,
    item_label,
    rank_of,
    take_number,
)
from services.router.offline.outline import Piece, Section
from services.router.offline.words import tokens, word_set

_TITLE_COLUMNS = word_set(
    "task title name item subject summary description aufgabe titel thema beschreibung what was "
    "issue ticket todo action"
)
_LABEL_COLUMNS = word_set("priority prio severity priorität wichtigkeit urgency")
_SHOWN = re.compile(r"\*\*([^*]{1,300})\*\* \(([^()]{1,80})\)$")
_RANKED = re.compile(r"(?:priority|priorität|prio)[: ]\s{0,3}\w{1,12}$", re.IGNORECASE)
_UNRANKED = re.compile(r"(?:no priority given|ohne Priorität|(?:no|Nr)\. ?\d)", re.IGNORECASE)
_ENTRIES = ("item", "row")
_ENTRY_CHARS = 100
_MOST_DETAILS = 40
UNRANKED = 99.0
"""The rank of what has no label: behind all that has one."""


@dataclass(frozen=True)
class Item:
    """One item of work. `label` and `details` are verbatim; `rank` is the label's, 0 first.

    `details` are (depth, text) of the points below it; `path` the headings it stands under.
    """

    title: str
    label: str = ""
    rank: float | None = None
    number: int | None = None
    path: tuple[str, ...] = ()
    details: tuple[tuple[int, str], ...] = ()
    source: str = ""
    state: State = ""
    line: int = 0

    @property
    def key(self) -> str:
        """The title's words, to find the same item again."""
        return " ".join(tokens(self.title))


def items_of(section: Section, label: str = "", depth: int = 0) -> Iterator[Item]:
    """Yield the items of a section and those below it, in the order of the text.

    A heading such as "High Priority" gives its label to what it heads; a numbered heading, or
    one without a list below, is an item itself.
    """
    yield from _direct(section, label)
    for below in section.sections:
        if is_priority_heading(below.title):
            yield from items_of(below, below.title, depth + 1)
        elif depth < 8 and not _is_item(below):
            yield from items_of(below, label, depth + 1)
        else:
            yield heading_item(below, label)


def piece_item(piece: Piece, path: tuple[str, ...], label: str = "") -> Item:
    """Return a list item, row or line as an item of work."""
    if piece.fields:
        return _row_item(piece, path)
    shown, told = _told_label(_unmarked(piece.text))
    number, title, ranked = take_number(shown)
    own = told or item_label(piece.text) or ranked or _label_below(piece) or label
    return Item(
        title=title,
        label=own,
        rank=rank_of(own) if own else None,
        number=piece.number if piece.number is not None else number,
        path=path,
        details=details_of(piece.children),
        state=piece.state,
        line=piece.line,
    )


def heading_item(section: Section, label: str = "") -> Item:
    """Return a section that is itself an item: "Priority 1: Deploy", "### 2. Test"."""
    number, title, ranked = take_number(section.title)
    own = ranked or item_label(section.title) or label
    return Item(
        title=title,
        label=own,
        rank=rank_of(own) if own else None,
        number=number,
        path=section.path[:-1],
        details=details_of(section.pieces),
        line=section.line,
    )


def details_of(pieces: Iterable[Piece]) -> tuple[tuple[int, str], ...]:
    """Return (depth, text) of what hangs below an item; code is left out."""
    found: list[tuple[int, str]] = []
    stack = [(0, piece) for piece in reversed(list(pieces))]
    while stack and len(found) < _MOST_DETAILS:
        depth, piece = stack.pop()
        if piece.kind != "code":
            mark = "[x] " if piece.state == "done" and piece.text.isascii() else ""
            found.append((depth, mark + piece.text))
        stack.extend((depth + 1, child) for child in reversed(piece.children))
    return tuple(found)


def once(items: Iterable[Item]) -> list[Item]:
    """Return the items, each title once; the first one stays."""
    found: dict[str, Item] = {}
    for item in items:
        found.setdefault(item.key or item.title, item)
    return list(found.values())


def named(items: Iterable[Item], source: str) -> list[Item]:
    """Return the items with the name of the text that they come from."""
    return [replace(item, source=source) for item in items]


def _direct(section: Section, label: str) -> Iterator[Item]:
    """Yield the list items of a section itself; without any, its lines."""
    listed = [p for p in section.pieces if p.kind in _ENTRIES]
    leads = [p for p in listed if p.lead]
    lines = [p for p in section.pieces if p.kind == "text"]
    if listed and not leads:
        listed = [p for p in section.pieces if p.kind in _ENTRIES or _is_entry(p)]
    for piece in leads or listed or lines:
        yield piece_item(piece, section.path, label)


def _is_entry(piece: Piece) -> bool:
    """Tell whether a line among list items is one more entry and not a remark."""
    text = piece.text
    return piece.kind == "text" and len(text) <= _ENTRY_CHARS and text[-1] not in ".!?:"


def _is_item(section: Section) -> bool:
    """Tell whether a heading is an item and not a group of items."""
    number, _, _ = take_number(section.title)
    if number is not None:
        return True
    listed = any(p.kind in ("item", "row") for p in section.pieces)
    return not listed and not section.sections


def _row_item(piece: Piece, path: tuple[str, ...]) -> Item:
    """Return a table row: its title column, its priority column, the other cells below."""
    columns = {column.lower(): cell for column, cell in piece.fields if cell}
    title = _cell(columns, _TITLE_COLUMNS) or max(columns.values(), key=len, default=piece.text)
    label = _cell(columns, _LABEL_COLUMNS)
    others = [f"{c}: {cell}" for c, cell in piece.fields if cell and cell not in (title, label)]
    return Item(
        title=title,
        label=label,
        rank=rank_of(label) if label else None,
        path=path,
        details=tuple((0, other) for other in others),
        state=piece.state,
        line=piece.line,
    )


def _cell(columns: dict[str, str], wanted: frozenset[str]) -> str:
    for column, cell in columns.items():
        if not wanted.isdisjoint(tokens(column)):
            return cell
    return ""


def _label_below(piece: Piece) -> str:
    """Return the priority that a sub-point states: "Priority: high"."""
    for child in piece.children[:8]:
        if tokens(child.text)[:1] and tokens(child.text)[0] in _LABEL_COLUMNS:
            return item_label(child.text)
    return ""


def _told_label(text: str) -> tuple[str, str]:
    """Return (title, label) of `**title** (label, no. 3)`, as earlier steps write items."""
    match = _SHOWN.match(text)
    if match is None:
        return text, ""
    label = match[2].split(",")[0].strip()
    if is_priority_heading(label) or _RANKED.match(label):
        return match[1], label
    return (match[1], "") if _UNRANKED.match(match[2]) else (text, "")


def _unmarked(text: str) -> str:
    """Return an item's title without emphasis around all of it and without status emoji."""
    clean = text.strip()
    if not clean.isascii():
        first, _, rest = clean.partition(" ")
        if rest and not any(c.isascii() and c.isalnum() for c in first) and len(first) <= 6:
            kept = plain(clean)
            clean = rest if kept != " ".join(clean.split()) and len(kept) < len(clean) else clean
    for mark in ("**", "__", "~~"):
        if clean.startswith(mark) and clean.endswith(mark) and len(clean) > 2 * len(mark):
            clean = clean[len(mark) : -len(mark)]
    return clean
