"""Small forms inside a line: `**Name:** value`, `[high]`, ports, paths, bold titles."""

from __future__ import annotations

import re
from collections.abc import Iterable

from services.sessions.importing.outline import Block, plain
from services.sessions.importing.roles import priority_of
from shared.events.tasks import Priority

_FIELD = re.compile(r"^(?:\*\*|__)(.{1,80}?)(?::\s*(?:\*\*|__)|(?:\*\*|__)\s*:)\s*(.*)$")
_PLAIN_FIELD = re.compile(r"^([A-Za-z][\w /-]{0,40}):\s+(\S.*)$")
_ALL_BOLD = re.compile(r"^(?:\*\*|__)(?!.*(?:\*\*|__).+(?:\*\*|__))(.+?)(?:\*\*|__)\s*\W*$")
_NUMBER = re.compile(
    r"^(?:\d{1,3}[.)]|(?:decision|priority|learning|item)\s+\d{1,3}\s*[:.-])\s*", re.I
)
_PORT = re.compile(r"\bport[:\s]+(\d{1,5})\b,?\s*", re.IGNORECASE)
_LABEL = re.compile(r"^\[(\w[\w ]{0,15})\]\s*")
_EVENT_ID = re.compile(r"\s*`[A-Za-z0-9_-]{1,64}`$")
_OWNER = re.compile(r"(?:^|\s)@([A-Za-z0-9_-]{1,64})\b")


def named(text: str) -> tuple[str, str] | None:
    """Return name and value of `**Name:** value` (or `**Name**: value`), else None."""
    found = _FIELD.match(text)
    return (plain(found[1]), plain(found[2])) if found else None


def loosely_named(text: str) -> tuple[str, str] | None:
    """Return name and value of `name: value` too."""
    found = named(text)
    if found is None and (loose := _PLAIN_FIELD.match(text)):
        return loose[1].strip(), plain(loose[2])
    return found


def bold_title(text: str) -> str | None:
    """Return the text of a line that is bold from end to end, without its number, else None."""
    found = _ALL_BOLD.match(text)
    return unnumbered(plain(found[1])) if found else None


def unnumbered(text: str) -> str:
    """Return a title without `3.`, `Decision 3:` and the like before it."""
    return _NUMBER.sub("", text).strip()


def port(value: str) -> tuple[int | None, str]:
    """Return the port that a value names, if any, and the rest of it."""
    found = _PORT.search(value)
    if not found or int(found[1]) > 65535:
        return None, value
    return int(found[1]), _PORT.sub("", value).strip(" ,")


def label(text: str) -> tuple[Priority | None, str]:
    """Return the priority in `[high] title` and the title, which may end in an event's id."""
    rest = _EVENT_ID.sub("", text)
    found = _LABEL.match(rest)
    priority = priority_of(found[1]) if found else None
    return (priority, rest[found.end() :]) if found and priority else (None, rest)


def owner(text: str) -> str:
    """Return the owner that `@name` names, or nothing."""
    found = _OWNER.search(text)
    return found[1] if found else ""


def below_fields(blocks: Iterable[Block]) -> dict[str, str]:
    """Return the `name: value` lines among blocks, names in lower case."""
    pairs = (loosely_named(block.text) for block in blocks)
    return {name.lower(): value for name, value in (pair for pair in pairs if pair)}
