"""Cut texts to a size, marking every gap, and keep of a long document what a question needs."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_]{3,}")
_STEM = 5
"""Letters of a word that are compared: enough for plurals and endings, English and German."""
_BLOCK_CHARS = 1500
MARK_ROOM = 80
_OPEN_STEMS = frozenset(
    {"pendi", "todo", "open", "next", "remai", "outst", "backl", "missi", "requi", "needs"}
    | {"risk", "block", "prior", "offen", "risik", "fehlt"}
)
"""Words that tell of open work; kept in view whatever the question."""


def cut(text: str, size: int) -> str:
    """Return the start of `text` in at most `size` characters and a marker, or all of it."""
    if len(text) <= size:
        return text
    kept = max(0, size - MARK_ROOM)
    return f"{text[:kept]}\n{gap(len(text) - kept, len(text))}"


def gap(left_out: int, total: int) -> str:
    """Return the marker that stands where text was left out."""
    return f"[… {left_out} of {total} characters left out here …]"


def share(sizes: Sequence[int], room: int) -> list[int]:
    """Return how much of `room` each text gets: small ones whole, large ones alike."""
    given = [0] * len(sizes)
    left = room
    for position, index in enumerate(sorted(range(len(sizes)), key=lambda i: sizes[i])):
        fair = left // (len(sizes) - position)
        given[index] = min(sizes[index], fair)
        left -= given[index]
    return given


def excerpt(text: str, size: int, query: str) -> str:
    """Return `text` in about `size` characters: its start and the blocks nearest to `query`.

    Blocks keep their order; every gap is marked with the characters left out.
    """
    if len(text) <= size:
        return text
    blocks = _blocks(text)
    keep = _chosen(blocks, max(0, size - MARK_ROOM), _stems(query))
    if not keep:
        return cut(text, size)
    return _joined(blocks, keep, len(text))


def _blocks(text: str) -> list[str]:
    """Return the text in pieces that end at a line's end where there is one, joined the same."""
    blocks: list[str] = []
    held: list[str] = []
    length = 0
    for line in text.splitlines(keepends=True):
        starts = line.startswith("#")
        if held and (length + len(line) > _BLOCK_CHARS or starts):
            blocks.append("".join(held))
            held, length = [], 0
        held.append(line)
        length += len(line)
    blocks.append("".join(held))
    return [block[i : i + 4000] for block in blocks for i in range(0, len(block), 4000)]


def _chosen(blocks: list[str], room: int, stems: frozenset[str]) -> set[int]:
    """Return the first block and then the best ones, as many as fit with their gap marks."""
    ranked = sorted(range(len(blocks)), key=lambda i: (i > 0, -_score(blocks[i], stems), i))
    keep: set[int] = set()
    for index in ranked:
        cost = len(blocks[index]) + (0 if index - 1 in keep or index + 1 in keep else MARK_ROOM)
        if cost <= room:
            keep.add(index)
            room -= cost
    return keep


def _score(block: str, stems: frozenset[str]) -> float:
    """Return how many of the question's words stand in the block; its first line counts more."""
    first, _, rest = block.partition("\n")
    heading, body = _stems(first), _stems(rest)
    return (
        3.0 * len(heading & stems)
        + len(body & stems)
        + 2.0 * len(heading & _OPEN_STEMS)
        + 0.5 * len(body & _OPEN_STEMS)
    )


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in _WORD.findall(text.lower()))


def _joined(blocks: list[str], keep: set[int], total: int) -> str:
    parts: list[str] = []
    missing = 0
    for index, block in enumerate(blocks):
        if index not in keep:
            missing += len(block)
            continue
        if missing:
            parts.append(f"{gap(missing, total)}\n")
            missing = 0
        parts.append(block if block.endswith("\n") else f"{block}\n")
    return "".join(parts) + (gap(missing, total) if missing else "")
