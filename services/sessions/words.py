"""Text as search terms: every term carries its namespace, so no query can reach another one."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_MARKS = re.compile(r"(?<=[a-z\u0370-\u03ff])[\u0300-\u036f]+")
_LETTER_SCRIPTS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]")

_STOP = (
    "a about after again all also am an and any are as at be because been before being between "
    "both but by can could did do does doing down during each few for from further had has have "
    "having he her here hers herself him himself his how i if in into is it its itself just me "
    "more most my myself no nor not now of off on once only or other our ours ourselves out "
    "over own s same she should so some such t than that the their theirs them themselves then "
    "there these they this those through to too under until up us very was we were what when "
    "where which while who whom whose why will with would you your yours yourself yourselves "
)
STOP = frozenset(_STOP.split())
"""English function words; they are indexed, but left out of a query that has other words."""

LONGEST = 40
"""Characters of a term; longer words (keys, hashes) are cut, on both sides alike."""


def words(text: str) -> list[str]:
    """Return the folded words of `text` in order; scripts without spaces give one a letter."""
    spaced = _LETTER_SCRIPTS.sub(r" \g<0> ", folded(text))
    return [word[:LONGEST] for word in _WORD.findall(spaced)]


def folded(text: str) -> str:
    """Return `text` without case and without the marks of Latin and Greek letters; ß is ss."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFD", text.casefold())
    return unicodedata.normalize("NFC", _MARKS.sub("", apart))


def asked(query: str, most: int = 40) -> list[str]:
    """Return the distinct words of a query worth looking for, at most `most`."""
    found = list(dict.fromkeys(words(query)))
    return ([word for word in found if word not in STOP] or found)[:most]


def indexed(namespace: int, text: str) -> str:
    """Return the text to index: each word with the number of its namespace before it."""
    return " ".join(f"{namespace}_{word}" for word in words(text))


def term(namespace: int, word: str) -> str:
    """Return the FTS5 phrase for one word in one namespace; the quotes make any syntax harmless."""
    return f'"{namespace}_{word}"'
