"""Cut text into sentences, in linear time."""

from __future__ import annotations

import re

_END = re.compile(r"(?<=[.!?])[\"'”)*_]{0,3}\s+(?=[\"'“(*_]{0,3}\w)")
_ABBREVIATIONS = (
    "e.g.",
    "i.e.",
    "z.b.",
    "d.h.",
    "mr.",
    "mrs.",
    "dr.",
    "vs.",
    "ca.",
    "no.",
    "nr.",
    "etc.",
    "approx.",
    "incl.",
    "bzw.",
    "usw.",
    "inkl.",
)
_WORD_END = re.compile(r"[^\W\d_]{3}\W{0,2}[.!?]\W{0,3}$")
"""What must end a sentence when the next one starts small: a word and no abbreviation."""


def sentences(text: str) -> list[str]:
    """Return the sentences of one paragraph, verbatim; a line without an end is one sentence."""
    found: list[str] = []
    start = 0
    for match in _END.finditer(text):
        piece = text[start : match.end()].strip()
        last = piece[-12:].lower().rsplit(" ", 1)[-1]
        if last in _ABBREVIATIONS or re.fullmatch(r"\d{1,3}\.", last):
            continue
        if text[match.end()].islower() and not _WORD_END.search(last):
            continue
        found.append(piece)
        start = match.end()
    tail = text[start:].strip()
    return [*found, tail] if tail else found
