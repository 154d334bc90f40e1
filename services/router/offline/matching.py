"""Answer a question with the passages of the text that match it, if they match well enough."""

from __future__ import annotations

import math
from collections.abc import Sequence

from services.router.offline.items import Item, items_of, once
from services.router.offline.markup import Source
from services.router.offline.order import place
from services.router.offline.summary import Unit, rarity, units
from services.router.offline.words import query_terms, terms

GOOD_ENOUGH = 0.6
"""Least share of the question's meaning (its terms weighed by rarity) that a passage must hold."""
_HEADING_WEIGHT = 0.7
_MOST_PASSAGES = 5
_CLOSE = 0.8
_MOST_ITEMS = 40


def best_passages(question: str, sources: Sequence[Source]) -> list[Unit]:
    """Return the best matching passages, the best first; none when no match is good enough.

    A term of the question that stands nowhere in the text weighs as the rarest one, so that a
    question about something else finds nothing.
    """
    wanted = query_terms(question)
    found = units(sources) if wanted else []
    if not found:
        return []
    idf = rarity(found)
    unknown = math.log(1 + len(found))
    weights = {term: idf.get(term, unknown) for term in wanted}
    total = sum(weights.values())
    scored = [(_held(unit, weights) / total, unit) for unit in found]
    top = max(score for score, _ in scored)
    if top < GOOD_ENOUGH:
        return []
    close = [(score, unit) for score, unit in scored if score >= max(GOOD_ENOUGH, _CLOSE * top)]
    close.sort(key=lambda pair: -pair[0])
    return [unit for _, unit in close[:_MOST_PASSAGES]]


def named_section(question: str, sources: Sequence[Source]) -> list[Item]:
    """Return the items of the first section whose heading holds every word of the question."""
    wanted = set(query_terms(question))
    for source in sources:
        for section in source.shape.walk():
            if section.level and wanted and wanted <= set(terms(section.title)):
                return once(items_of(section))[:_MOST_ITEMS]
    return []


def show_items(found: Sequence[Item], say: dict[str, str]) -> str:
    """Return the items of a section as quotes, each with its place."""
    where = place(found[0].path)
    lines = [f"- “{item.title}”" for item in found]
    return "\n".join([f"{say['best']}{f' ({where})' if where else ''}:", "", *lines])


def show_passages(found: Sequence[Unit], say: dict[str, str]) -> str:
    """Return passages as quotes with their places."""
    lines = [f"- “{unit.text[:600]}”{_place(unit)}" for unit in found]
    return "\n".join([f"{say['best']}:", "", *lines])


def _held(unit: Unit, weights: dict[str, float]) -> float:
    """Return how much of the question a passage holds; its heading counts a little less."""
    inside = sum(weight for term, weight in weights.items() if term in unit.terms)
    if not inside:
        return 0.0
    above = frozenset(terms(" ".join(unit.path[-2:]))) - unit.terms
    return inside + _HEADING_WEIGHT * sum(w for term, w in weights.items() if term in above)


def _place(unit: Unit) -> str:
    where = place(unit.path)
    return f" ({where})" if where else ""
