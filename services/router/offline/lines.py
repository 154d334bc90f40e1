"""Each line of a text for what it is: heading, list item, table row, code, label, plain text.

All patterns are anchored and bounded, so that the time is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from services.router.offline.labels import own_state
from services.router.offline.tables import Table, find_tables

LineKind = Literal["blank", "heading", "item", "text", "row", "code"]
LABEL_LEVEL = 7
CAPITALS_LEVEL = 5
_TAB = 4
_ITEM = re.compile(r"(?:[-*+•‣◦–—]|(\d{1,4})[.)]|[a-zA-Z]\))[ \t]+(?=\S)")
_BOX = re.compile(r"\[([ xX✓✔~-]?)\][ \t]+")
_LEAD = re.compile(r"(?:\*\*|__)[ ]?(\d{1,4})[.)][ ]+([^*]{1,300}?)(?:\*\*|__)[ :]*(.{0,40})$")
_BOLD = re.compile(r"\*\*([^*]{1,200})\*\*[ ]?:?$")
_FENCE = ("```", "~~~")
_RULE = re.compile(r"(?:[-*_=][ \t]?){3,200}$")
_KEY = re.compile(r"(?:\*\*[^*:]{1,60}:?\*\*:?|[A-ZÄÖÜ][\w /&-]{0,40}:)(?:\s|$)")
_WRAPPED = 60
_SHORT_WRAP = 40
_LABEL_CHARS = 80


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its kind, its text without marks of structure, its number from 1.

    `joins` tells that it goes on with the sentence of the line before; `lead` that it is a
    numbered bold line, which heads the list below it.
    """

    kind: LineKind
    text: str = ""
    at: int = 0
    level: int = 0
    indent: int = 0
    number: int | None = None
    state: Literal["open", "done", ""] = ""
    lead: bool = False
    joins: bool = False
    fields: tuple[tuple[str, str], ...] = ()


def read_lines(text: str, most: int) -> Iterator[Line]:
    """Yield the lines of `text`, at most `most` of them."""
    lines = text.split("\n", most)[:most]
    tables = find_tables(lines)
    fenced = False
    for at, raw in enumerate(lines):
        clean = raw.strip()
        if clean.startswith(_FENCE):
            fenced = not fenced
        elif fenced:
            yield Line("code", raw.rstrip(), at + 1)
        elif at in tables:
            yield from _row(tables[at], at, clean)
        else:
            yield _line(lines, at, clean)


def _row(table: Table, at: int, clean: str) -> Iterator[Line]:
    """Yield a row of cells; a table's head and rule say nothing by themselves."""
    fields = table.fields(at)
    if fields:
        yield Line("row", clean, at + 1, state=table.state(fields), fields=fields)


def _line(lines: list[str], at: int, clean: str) -> Line:
    if not clean:
        return Line("blank", at=at + 1)
    raw = lines[at]
    indent = len(raw.expandtabs(_TAB)) - len(raw.expandtabs(_TAB).lstrip())
    return (
        _heading(lines, at, clean)
        or _item(clean, at, indent)
        or _label(lines, at, clean)
        or _text(lines, at, clean, indent)
    )


def _heading(lines: list[str], at: int, clean: str) -> Line | None:
    if clean[0] == "#":
        hashes = len(clean) - len(clean.lstrip("#"))
        rest = clean[hashes:]
        if hashes <= 6 and rest[:1] in (" ", "\t") and rest.strip(" #"):
            return Line("heading", rest.strip().rstrip("#").strip(), at + 1, level=hashes)
        return None
    if _RULE.match(clean):
        return Line("blank", at=at + 1)
    return _underlined(lines, at, clean)


def _underlined(lines: list[str], at: int, clean: str) -> Line | None:
    """Return a line with `===` or `---` below as a heading; or a short line in capitals."""
    below = _after(lines, at)
    alone = at == 0 or not lines[at - 1].strip()
    if not alone or len(clean) > 120 or _ITEM.match(clean):
        return None
    if len(below) >= 3 and set(below) in ({"="}, {"-"}):
        return Line("heading", clean, at + 1, level=1 if below[0] == "=" else 2)
    letters = sum(c.isalpha() for c in clean)
    if letters >= 4 and clean.isupper() and len(clean) <= _LABEL_CHARS and clean[-1] not in ".!?":
        return Line("heading", clean, at + 1, level=CAPITALS_LEVEL)
    return None


def _item(clean: str, at: int, indent: int) -> Line | None:
    """Return a list item, a ticked one, or a numbered bold line."""
    lead = _LEAD.match(clean)
    if lead:
        text = f"{lead[2].strip()} {lead[3].strip()}".strip()
        return Line("item", text, at + 1, number=int(lead[1]), lead=True, state=own_state(text))
    mark = _ITEM.match(clean)
    body = clean[mark.end() :] if mark else clean
    box = _BOX.match(body)
    if mark is None and box is None:
        return None
    text = body[box.end() :] if box else body
    state = own_state(text) if box is None else ("open" if box[1] in (" ", "") else "done")
    number = int(mark[1]) if mark and mark[1] else None
    return Line("item", text, at + 1, indent=indent, number=number, state=state)


def _label(lines: list[str], at: int, clean: str) -> Line | None:
    """Return a line such as `Open points:` or `**Remaining:**` above a list as a heading."""
    bold = _BOLD.match(clean)
    text = bold[1] if bold else clean
    if len(text) > _LABEL_CHARS or text[-1] in ".!?":
        return None
    colon = clean.rstrip("*_").endswith(":")
    below = _after(lines, at, skip=1)
    listed = bool(below) and (_ITEM.match(below) is not None or _BOX.match(below) is not None)
    alone = at == 0 or not lines[at - 1].strip()
    heads = (colon and not _KEY.match(below)) or (listed and (colon or bold or alone))
    return Line("heading", text, at + 1, level=LABEL_LEVEL) if below and heads else None


def _text(lines: list[str], at: int, clean: str, indent: int) -> Line:
    """Return plain text; it joins the line before if that one was wrapped."""
    before = lines[at - 1].rstrip() if at else ""
    wrapped = len(before) >= _WRAPPED and before[-1:] not in (":", "|")
    follows = clean[0].islower() and (indent > 0 or len(before) >= _SHORT_WRAP)
    joins = (wrapped or follows) and not _KEY.match(clean)
    return Line("text", clean, at + 1, indent=indent, joins=joins, state=own_state(clean))


def _after(lines: list[str], at: int, skip: int = 0) -> str:
    """Return the next line, looking over at most `skip` blank ones."""
    for line in lines[at + 1 : at + 2 + skip]:
        if line.strip():
            return line.strip()
    return ""
