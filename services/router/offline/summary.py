"""Summarise by choosing: the sentences that carry most of the text's own rare words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.router.offline.markup import Source
from services.router.offline.outline import Piece, Section
from services.router.offline.sentences import sentences
from services.router.offline.words import terms

_SUMMARY_HEADING = re.compile(
    r"\b(?:summary|abstract|tl;?dr|overview|conclusions?|results?|"
    r"zusammenfassung|überblick|fazit)\b",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"\b(\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten)\b[ -](?:\w+ )?"
    r"(?:sentences?|lines?|points?|bullets?|sätze\w*|punkte\w*|zeilen)",
    re.IGNORECASE,
)
_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
)  # fmt: skip
USUAL_COUNT = 5
_MOST_UNITS = 20_000
_FEWEST_TERMS = 3


@dataclass(frozen=True)
class Unit:
    """One sentence or line, with its place and its terms."""

    text: str
    path: tuple[str, ...]
    source: str
    line: int
    terms: frozenset[str]
    is_row: bool = False


def units(sources: Iterable[Source]) -> list[Unit]:
    """Return the sentences, list items and rows of the texts, in order; code is left out."""
    found: list[Unit] = []
    for source in sources:
        for section, text, piece in _lines(source.shape):
            place = (section.path, source.name, piece.line)
            found.append(Unit(text, *place, frozenset(terms(text)), bool(piece.fields)))
            if len(found) >= _MOST_UNITS:
                return found
    return found


def rarity(found: list[Unit]) -> dict[str, float]:
    """Return each term's inverse document frequency over the units: ln(1 + N / n)."""
    counts = Counter(term for unit in found for term in unit.terms)
    return {term: math.log(1 + len(found) / n) for term, n in counts.items()}


def summarise(sources: Iterable[Source], wish: str) -> str | None:
    """Return the chosen sentences as a list, in the text's order; None when there is no text."""
    found = units(sources)
    if not found:
        return None
    idf = rarity(found)
    ranked = sorted(found, key=lambda unit: -_score(unit, idf))
    chosen: list[Unit] = []
    for unit in ranked:
        if len(chosen) < _wanted(wish) and all(not _same(unit, other) for other in chosen):
            chosen.append(unit)
    kept = set(map(id, chosen))
    return "\n".join(f"- {unit.text}" for unit in found if id(unit) in kept)


def _lines(root: Section) -> Iterator[tuple[Section, str, Piece]]:
    for section, piece in root.all_pieces():
        if piece.kind != "code":
            for sentence in sentences(piece.text.strip("| ") if piece.fields else piece.text):
                yield section, sentence, piece


def _score(unit: Unit, idf: dict[str, float]) -> float:
    """Return the mean rarity of a sentence's terms, for lengths of 6 to 40 words; summary
    headings and the start of the text count more.
    """
    if len(unit.terms) < _FEWEST_TERMS:
        return 0.0
    mean = sum(idf[term] for term in unit.terms) / math.sqrt(max(9, len(unit.terms)))
    shape = 0.6 if len(unit.text) > 400 or unit.is_row else 1.0
    head = 1.6 if unit.path and _SUMMARY_HEADING.search(unit.path[-1]) else 1.0
    return mean * shape * head


def _same(one: Unit, other: Unit) -> bool:
    """Tell whether two sentences say nearly the same."""
    both = len(one.terms & other.terms)
    return both > 0.6 * min(len(one.terms), len(other.terms)) or one.text == other.text


def _wanted(wish: str) -> int:
    match = _COUNT.search(wish)
    if match is None:
        return USUAL_COUNT
    word = match[1].lower()
    return max(1, min(50, int(word) if word.isdigit() else _NUMBERS.index(word)))
