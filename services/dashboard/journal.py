"""The journal of one task as people and programs read it: in order, long texts cut, said so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from shared.bus import Bus
from shared.reading import Stored, read_subject
from shared.streams import JOURNAL
from shared.subjects import task_journal

LONGEST_TEXT = 4000


@dataclass(frozen=True)
class Line:
    """One entry: its sequence in the stream, and its JSON; `cut` when texts were shortened."""

    seq: int
    entry: dict[str, Any]
    cut: bool = False

    @property
    def kind(self) -> str:
        """What happened, as the contract names it."""
        return str(self.entry.get("kind", "unknown"))

    def as_json(self) -> dict[str, Any]:
        """Return it with its sequence."""
        return {"seq": self.seq, "cut": self.cut, **self.entry}


async def entries(
    bus: Bus, task_id: str, after: int = 0, *, longest: int = LONGEST_TEXT
) -> list[Line]:
    """Return the entries after a sequence; texts have at most `longest` characters, 0 is all."""
    stored = await read_subject(bus, JOURNAL.name, task_journal(task_id), after)
    return [line_of(one, longest) for one in stored]


def line_of(stored: Stored, longest: int = LONGEST_TEXT) -> Line:
    """Return one stored entry; what is no JSON object is shown as its text."""
    try:
        found = orjson.loads(stored.data)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        found = {"kind": "unreadable", "text": stored.data.decode("utf-8", "replace")}
    shortened = cut(found, longest) if longest else found
    return Line(stored.seq, shortened, shortened != found)


def cut(value: Any, longest: int) -> Any:
    """Return a value whose texts are cut, at any depth; the end tells how much is missing."""
    if isinstance(value, str) and len(value) > longest:
        return f"{value[:longest]}… ({len(value) - longest} characters more)"
    if isinstance(value, dict):
        return {key: cut(inner, longest) for key, inner in value.items()}
    if isinstance(value, list):
        return [cut(inner, longest) for inner in value]
    return value
