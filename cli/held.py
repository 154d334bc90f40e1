"""A handoff that somebody holds as a file: what it claims, and whether the record agrees."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Any

import orjson

from cli.output import clean_block
from shared.errors import InvalidInput
from shared.events import Handoff

_CHECKSUM = re.compile(r"^Checksum: `sha256:([0-9a-f]{64})`$", re.MULTILINE)
_SEQ = re.compile(r"^Session `[^`]+` in namespace `[^`]+`, seq (\d+),", re.MULTILINE)


def claim_of(text: str, name: str) -> dict[str, Any]:
    """Return checksum and sequence of a handoff, Markdown or JSON."""
    text = text.replace("\r\n", "\n")
    found = _json(text)
    if "checksum" in found and "seq" in found:
        return {"checksum": found["checksum"], "seq": found["seq"]}
    checksum, seq = _CHECKSUM.search(text), _SEQ.search(text)
    if checksum is None or seq is None:
        raise InvalidInput(f"--handoff: {name} is no handoff", field="--handoff")
    return {"checksum": checksum[1], "seq": int(seq[1])}


def difference(text: str, made: Handoff) -> str:
    """Return where the text is not the document that the record gives at its sequence, or ''."""
    found = _json(text)
    if "document" in found and found["document"] != made.document:
        return "`document` is not what the record says"
    held = str(found["markdown"]) if "markdown" in found else text
    if found and "markdown" not in found:
        return ""
    pairs = enumerate(zip_longest(_lines(held), _lines(made.markdown)), 1)
    wrong = next((number for number, (one, other) in pairs if one != other), None)
    return "" if wrong is None else f"line {wrong} is not what the record says"


def _lines(text: str) -> list[str]:
    """Return the lines down to the checksum; a summary below it is not part of the record."""
    clean = clean_block(text)
    end = _CHECKSUM.search(clean)
    return clean[: end.end() if end else None].splitlines()


def _json(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
