"""Blocks of a section as items: a title, what stands below it, and what belongs to none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.sessions.importing.fields import bold_title
from services.sessions.importing.outline import Block, text_of

EMPTY_WORDS = frozenset(("none.", "none", "n/a", "-", "nothing."))
"""What people write when a section has nothing in it."""


@dataclass
class Item:
    """One thing of a list, as people write it: a bold line or a bullet, and its details."""

    title: str
    line: int
    checked: bool | None = None
    below: list[Block] = field(default_factory=list)

    @property
    def body(self) -> str:
        """Return the details as text, without the marks of a quotation."""
        rows = text_of(self.below).splitlines()
        return "\n".join(row.strip().removeprefix(">").strip() if row.lstrip().startswith(">")
                         else row for row in rows)  # fmt: skip


def items(blocks: Sequence[Block]) -> tuple[list[Item], list[Block]]:
    """Return the items and the blocks before or between them that belong to none.

    Where a section has bold lines, those are the titles and all that follows is theirs;
    else each bullet is an item.
    """
    if any(block.kind == "text" and bold_title(block.text) for block in blocks):
        return _by_bold_lines(blocks)
    found: list[Item] = []
    rest: list[Block] = []
    for block in blocks:
        if block.kind == "item":
            found.append(Item(block.text, block.line, block.checked, list(block.below)))
        elif found:
            found[-1].below.append(block)
        elif block.text.lower() not in EMPTY_WORDS:
            rest.append(block)
    return found, rest


def _by_bold_lines(blocks: Sequence[Block]) -> tuple[list[Item], list[Block]]:
    found: list[Item] = []
    rest: list[Block] = []
    for block in blocks:
        title = bold_title(block.text) if block.kind == "text" else None
        if title:
            found.append(Item(title, block.line))
        else:
            (found[-1].below if found else rest).append(block)
    return found, rest


def flat(blocks: Iterable[Block]) -> list[Block]:
    """Return blocks and all below them, in order."""
    found = []
    for block in blocks:
        found += [block, *flat(block.below)]
    return found
