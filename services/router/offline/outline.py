"""The shape of a text: sections by heading, list items with what hangs below them, rows, lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from services.router.offline.headings import plain
from services.router.offline.lines import Line, read_lines

Kind = Literal["item", "text", "row", "code"]
LABEL_LEVEL = 7
"""The level of a line such as `Open points:` that heads a list without being a heading."""
DEEPEST = 10
LONGEST = 10_000
MOST_LINES = 60_000
"""Lines that are read of one text; 1 MB of ordinary text has half as many."""


@dataclass(slots=True)
class Piece:
    """One thing that can be quoted. `text` is verbatim without its list mark.

    `state` is the mark that it carries itself: a ticked box, `[ ]`. `fields` are a row's cells.
    """

    kind: Kind
    text: str
    line: int
    number: int | None = None
    state: Literal["open", "done", ""] = ""
    fields: tuple[tuple[str, str], ...] = ()
    lead: bool = False
    children: list[Piece] = field(default_factory=list)


@dataclass(slots=True)
class Section:
    """A heading and what stands under it; the root has no title and level 0."""

    title: str
    level: int
    path: tuple[str, ...]
    line: int = 0
    pieces: list[Piece] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)

    def walk(self) -> Iterator[Section]:
        """Yield this section and all below, in the order of the text."""
        stack = [self]
        while stack:
            section = stack.pop()
            yield section
            stack.extend(reversed(section.sections))

    def all_pieces(self) -> Iterator[tuple[Section, Piece]]:
        """Yield every piece, children after their parents, with its section."""
        for section in self.walk():
            for piece in section.pieces:
                for each in below(piece):
                    yield section, each


def below(piece: Piece) -> Iterator[Piece]:
    """Yield a piece and everything that hangs below it."""
    stack = [piece]
    while stack:
        each = stack.pop()
        yield each
        stack.extend(reversed(each.children))


def outline(text: str) -> Section:
    """Return the shape of a Markdown or plain text; any text has one."""
    builder = _Builder()
    for line in read_lines(text, MOST_LINES):
        builder.take(line)
    return builder.root


class _Builder:
    """Takes lines in order and hangs each where it belongs."""

    def __init__(self) -> None:
        self.root = Section("", 0, ())
        self._open = [self.root]
        self._items: list[tuple[int, Piece]] = []
        self._text: Piece | None = None
        self._gap = False

    def take(self, line: Line) -> None:
        """Add one line to the shape."""
        if line.kind == "blank":
            self._blank()
        elif line.kind == "heading":
            self._heading(line)
        elif line.kind == "item":
            self._item(line)
        elif line.kind == "text" and self._goes_on(line):
            self._extend(line)
        else:
            self._piece(line)
        self._gap = line.kind == "blank"

    def _blank(self) -> None:
        self._text = None

    def _heading(self, line: Line) -> None:
        level = line.level
        while self._open[-1].level >= level:
            self._open.pop()
        parent = self._open[-1]
        title = plain(line.text)
        section = Section(title, level, (*parent.path, title), line.at)
        parent.sections.append(section)
        self._open.append(section)
        self._items, self._text = [], None

    def _item(self, line: Line) -> None:
        indent = -1 if line.lead else line.indent
        while self._items and self._items[-1][0] >= indent:
            self._items.pop()
        piece = Piece("item", line.text, line.at, line.number, line.state, lead=line.lead)
        self._hang(piece)
        if len(self._items) < DEEPEST:
            self._items.append((indent, piece))
        self._text = piece

    def _goes_on(self, line: Line) -> bool:
        """Tell whether the line continues the sentence before it."""
        last = self._text
        return last is not None and _extends(last) and line.joins

    def _extend(self, line: Line) -> None:
        if self._text is not None:
            self._text.text = f"{self._text.text} {line.text}"

    def _piece(self, line: Line) -> None:
        kind: Kind = "row" if line.kind == "row" else "code" if line.kind == "code" else "text"
        if line.indent == 0 and self._items and not self._items[0][1].lead:
            self._items = []
            self._leave_label()
        piece = Piece(kind, line.text, line.at, state=line.state, fields=line.fields)
        self._hang(piece)
        self._text = piece if kind == "text" else None

    def _leave_label(self) -> None:
        """End the part that a label line heads: a paragraph after its list belongs above."""
        if self._gap and self._open[-1].level >= LABEL_LEVEL:
            self._open.pop()

    def _hang(self, piece: Piece) -> None:
        """Put a piece below the item that it belongs to, else into the section."""
        if self._items:
            self._items[-1][1].children.append(piece)
        else:
            self._open[-1].pieces.append(piece)


def _extends(piece: Piece) -> bool:
    """Tell whether a piece may take one more line; very long ones are ended."""
    return piece.kind in ("text", "item") and not piece.lead and len(piece.text) < LONGEST
