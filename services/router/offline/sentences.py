"""Cut text into sentences, in linear time."""

from __future__ import annotations

import re

_END = re.compile(r"(?<=[.!?])[\"'”)*_]{0,3}\s+(?=[\"'“(*_]{0,3}[A-ZÄÖÜ0-9])")
_ABBREVIATIONS = ("e.g.", "i.e.", "z.b.", "d.h.", "mr.", "mrs.", "dr.", "vs.", "ca.", "no.", "nr.")


def sentences(text: str) -> list[str]:
    """Return the sentences of one paragraph, verbatim; a line without an end is one sentence."""
    found: list[str] = []
    start = 0
    for match in _END.finditer(text):
        piece = text[start : match.end()].strip()
        last = piece[-12:].lower().rsplit(" ", 1)[-1]
        if last in _ABBREVIATIONS or re.fullmatch(r"\d{1,3}\.", last):
            continue
        found.append(piece)
        start = match.end()
    tail = text[start:].strip()
    return [*found, tail] if tail else found
