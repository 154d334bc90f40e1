"""State and metrics: names and values from bullets, headings and lists under a bold name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from services.sessions.importing import fields
from services.sessions.importing.drafts import Draft, Read
from services.sessions.importing.outline import Block, Section, plain, walk

_EQUATION = re.compile(r"^([^=]{1,120}?) = (.+)$")
KEY = 200


def state(section: Section, read: Read) -> None:
    """`**Name:** value` under a heading is state `heading.name`; a port makes it a service."""
    for part in walk(section):
        prefix = "" if part is section else f"{part.title}."
        for name, value, block in _pairs(part, read):
            port, rest = fields.port(value) if isinstance(value, str) else (None, value)
            if port is None:
                read.add(_set(f"{prefix}{name}", value, block.line, ("state",)))
            else:
                given = {"port": port, "status": rest}
                read.add(_set(f"service.{name}", given, block.line, ("service",)))


def metrics(section: Section, read: Read) -> None:
    """As state, under `metric.`; a heading `Name: value` is a metric too."""
    for part in walk(section):
        prefix = "metric." if part is section else f"metric.{part.title}."
        name, colon, value = part.title.partition(": ")
        if colon and part is not section:
            prefix = f"metric.{name}."
            read.add(_set(f"metric.{name}", value.strip(), part.line, ("metric",)))
        for inner, given, block in _pairs(part, read):
            read.add(_set(f"{prefix}{inner}", given, block.line, ("metric",)))


def _pairs(part: Section, read: Read) -> Iterator[tuple[str, Any, Block]]:
    """Yield name, value and place; a name without a value takes the items that follow it."""
    waiting: tuple[str, list[str], Block] | None = None
    for block in part.blocks:
        pair = fields.named(block.text) or _equation(block.text)
        if pair and pair[1][:1] in ("{", "["):
            yield pair[0], _json(pair[1]), block
        elif pair and (pair[1] or block.below):
            yield pair[0], pair[1] or [plain(each.text) for each in block.below], block
        elif pair:
            waiting = (pair[0], [], block)
            yield waiting
        elif waiting is not None and block.kind == "item":
            waiting[1].append(plain(block.text))
        elif loose := fields.loosely_named(block.text):
            yield loose[0], loose[1], block
        elif block.text.lower() not in ("none.", "none"):
            read.add(Draft("note", plain(block.text), block.line, tags=("state",)))
            read.doubt(block.line, block.text, "not a name with a value; kept as a note")


def _equation(text: str) -> tuple[str, str] | None:
    found = _EQUATION.match(fields.label(text)[1])
    return (plain(found[1]), found[2]) if found else None


def _json(text: str) -> Any:
    """Return the value that a text writes down, or the text."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _set(key: str, value: object, line: int, tags: tuple[str, ...]) -> Draft:
    name = key[:KEY]
    return Draft("state.set", name, line, data={"key": name, "value": value}, tags=tags)
