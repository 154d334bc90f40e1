"""Cut text into sentences, in linear time."""

from __future__ import annotations

import re

_END = re.compile(r"(?<=[.!?])[\"'”)*_]{0,3}\s+(?=[\"'“(*_]{0,3}\w)")
_COUNT = re.compile(r"\d{1,3}\.")
_ABBREVIATIONS = frozenset(
    {
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
    }
)
_WORD_END = re.compile(r"[^\W\d_]{3}\W{0,2}[.!?]\W{0,3}$")
"""What must end a sentence when the next one starts small: a word and no abbreviation."""


def sentences(text: str) -> list[str]:
    """Return the sentences of one paragraph, verbatim; a line without an end is one sentence."""
    found: list[str] = []
    start = 0
    for match in _END.finditer(text):
        end = match.end()
        last = text[max(start, end - 16) : end].strip()[-12:].lower().rpartition(" ")[2]
        if last in _ABBREVIATIONS or _COUNT.fullmatch(last):
            continue
        if text[end].islower() and not _WORD_END.search(last):
            continue
        found.append(text[start:end].strip())
        start = end
    tail = text[start:].strip()
    return [*found, tail] if tail else found
