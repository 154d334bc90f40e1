"""Facts that a text states under a name: `key: value` lines, cells, numbers beside a word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from services.router.offline.markup import Source
from services.router.offline.outline import Piece
from services.router.offline.summary import Unit, units
from services.router.offline.words import stem, terms, tokens

_PAIR = re.compile(r"^\W{0,4}([^\W\d_][\w /&().-]{0,50}?)\W{0,3}[:=]\W{0,3}\s{0,4}(\S.*)$", re.S)
_NUMBER = re.compile(r"(?<![\w.-])[-+]?\d{1,15}(?:[,']\d{3}){0,5}(?:\.\d{1,15})?(?![\w]*-\d)")
_CAMEL = re.compile(r"(?<=[a-zäöü0-9])(?=[A-ZÄÖÜ])")
_NAME = re.compile(r"[\w][\w.:/@-]{0,120}")
_LEAST_LIKENESS = 0.5


@dataclass(frozen=True)
class Pair:
    """One `key: value` of the text."""

    key: frozenset[str]
    value: str


class Facts:
    """All that can be looked up by name in some texts."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.sources = tuple(sources)
        self.units: list[Unit] = units(self.sources)
        self._values: dict[frozenset[str], str] = {}
        for source in self.sources:
            for pair in _pairs(source):
                self._values.setdefault(pair.key, pair.value)

    def value(self, name: str) -> str | None:
        """Return the value of the key nearest to `name`, if one is near."""
        wanted = frozenset(name_terms(name))
        best = max(self._values, key=lambda key: _likeness(wanted, key), default=frozenset())
        return self._values[best] if _likeness(wanted, best) >= _LEAST_LIKENESS else None

    def near(self, name: str) -> list[Unit]:
        """Return the sentences that hold words of `name`, those with most of them first."""
        wanted = set(name_terms(name))
        counted = [(len(wanted & unit.terms), unit) for unit in self.units]
        return [unit for n, unit in sorted(counted, key=lambda each: -each[0]) if n]

    def number(self, name: str) -> list[float]:
        """Return the numbers beside the words of `name`, the nearest first."""
        value = self.value(name)
        found = numbers(value) if value else []
        for unit in self.near(name)[:20]:
            found += _beside(unit.text, set(name_terms(name)))
        return found

    def word_after(self, name: str) -> str | None:
        """Return the name-like word that follows a word of `name`: "host agent-3" for host."""
        wanted = set(name_terms(name))
        for unit in self.near(name)[:20]:
            for first, second in pairwise(_NAME.findall(unit.text)):
                if _stem(first) in wanted and _is_name(second):
                    return str(second).rstrip(".:,")
        return None


def name_terms(name: str) -> list[str]:
    """Return the terms of a property's name in any spelling: dueDate, due_date, due-date."""
    spaced = _CAMEL.sub(" ", name).replace("_", " ").replace("-", " ")
    return terms(spaced) or [stem(word) for word in tokens(spaced)]


def numbers(text: str) -> list[float]:
    """Return the numbers of a text, thousands separators understood, in order."""
    return [float(re.sub("[,']", "", found)) for found in _NUMBER.findall(text)]


def _beside(text: str, wanted: set[str]) -> list[float]:
    """Return the numbers of a sentence by their distance to a wanted word."""
    places = [m.start() for m in _NAME.finditer(text) if _stem(m.group()) in wanted]
    found = list(_NUMBER.finditer(text))
    found.sort(key=lambda m: min((abs(m.start() - at) for at in places), default=len(text)))
    return [value for match in found for value in numbers(match.group())]


def _stem(word: str) -> str:
    return stem(word.lower().strip(".:/-"))


def _is_name(word: str) -> bool:
    """Tell whether a word looks like somebody's or something's name, not like prose."""
    return any(c.isdigit() or c in "-_./@" for c in word[:-1]) or word[:1].isupper()


def _pairs(source: Source) -> Iterable[Pair]:
    for _, piece in source.shape.all_pieces():
        if piece.kind != "code":
            yield from _pair(piece)


def _pair(piece: Piece) -> Iterable[Pair]:
    for column, cell in piece.fields:
        if cell:
            yield Pair(_column_key(column), cell)
    match = _PAIR.match(piece.text[:2000])
    if match and not piece.fields:
        yield Pair(frozenset(name_terms(match[1])), match[2].strip(" *_`"))


@lru_cache(maxsize=1024)
def _column_key(column: str) -> frozenset[str]:
    """Return the key of a column, which is the same in each row."""
    return frozenset(name_terms(column))


def _likeness(wanted: frozenset[str], key: frozenset[str]) -> float:
    return len(wanted & key) / len(wanted | key) if wanted and key else 0.0
