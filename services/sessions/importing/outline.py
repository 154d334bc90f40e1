"""Markdown as a tree of sections with blocks: as much of it as notes use."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_ITEM = re.compile(r"^(\s*)(?:[-*+]|\d{1,9}[.)])\s+(.*)$")
_CHECK = re.compile(r"^\[([ xX])\]\s+(.*)$")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
_RULE = re.compile(r"^\s*([-*_])(\s*\1){2,}\s*$")
_BOLD = re.compile(r"(\*\*|__)(.+?)\1")
_SIGNS = frozenset(("So", "Sk", "Mn", "Cf", "Cs", "Co"))


@dataclass
class Block:
    """A paragraph line, a list item with what is indented below it, or a fenced code."""

    kind: Literal["text", "item", "code"]
    text: str
    line: int
    checked: bool | None = None
    below: list[Block] = field(default_factory=list)


@dataclass
class Section:
    """A heading with its own blocks and its subsections; level 0 is the whole document."""

    level: int
    title: str
    line: int
    blocks: list[Block] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)


def outline(text: str) -> Section:
    """Return the document's tree."""
    root = Section(0, "", 1)
    open_sections = [root]
    rows = iter(enumerate(text.splitlines(), 1))
    lists: list[tuple[int, Block]] = []
    for number, row in rows:
        heading = _HEADING.match(row)
        if heading:
            section = Section(len(heading[1]), plain(heading[2]), number)
            while open_sections[-1].level >= section.level:
                open_sections.pop()
            open_sections[-1].sections.append(section)
            open_sections.append(section)
            lists = []
        elif row.strip() and not _RULE.match(row):
            _block(open_sections[-1], lists, _read(number, row, rows), row)
    return root


def _read(number: int, row: str, rows: Iterator[tuple[int, str]]) -> Block:
    """Return the block that begins in `row`, taking a fence's further rows from `rows`."""
    fence = _FENCE.match(row)
    if fence:
        inside = []
        for _, following in rows:
            if following.strip().startswith(fence[1]):
                break
            inside.append(following)
        return Block("code", "\n".join(inside), number)
    item = _ITEM.match(row)
    if not item:
        return Block("text", row.strip(), number)
    check = _CHECK.match(item[2])
    text, checked = (check[2], check[1] != " ") if check else (item[2], None)
    return Block("item", text.strip(), number, checked)


def _block(section: Section, lists: list[tuple[int, Block]], block: Block, row: str) -> None:
    """Hang the block where its indentation puts it."""
    indent = len(row) - len(row.lstrip())
    while lists and lists[-1][0] >= indent and (block.kind == "item" or indent == 0):
        lists.pop()
    (lists[-1][1].below if lists else section.blocks).append(block)
    if block.kind == "item":
        lists.append((indent, block))


def text_of(blocks: Iterable[Block], depth: int = 0) -> str:
    """Return blocks as text, lists indented."""
    rows: list[str] = []
    for block in blocks:
        mark = "- " if block.kind == "item" else ""
        rows += [f"{'  ' * depth}{mark if not n else ''}{row}" for n, row in
                 enumerate(block.text.splitlines() or [""])]  # fmt: skip
        if block.below:
            rows.append(text_of(block.below, depth + 1))
    return "\n".join(rows)


def walk(section: Section) -> Iterator[Section]:
    """Yield the section and all below it, in the order of the document."""
    yield section
    for each in section.sections:
        yield from walk(each)


def plain(text: str) -> str:
    """Return a line without bold marks, and without signs such as emoji at its ends."""
    kept = _BOLD.sub(r"\2", text)
    while kept and (kept[0].isspace() or unicodedata.category(kept[0]) in _SIGNS):
        kept = kept[1:]
    while kept and (kept[-1].isspace() or unicodedata.category(kept[-1]) in _SIGNS):
        kept = kept[:-1]
    return kept
