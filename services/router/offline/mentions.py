"""Answer "which X does the text give?" with every line and heading that gives an X, quoted."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.router.offline.dates import has_date, without_dates
from services.router.offline.markup import Source
from services.router.offline.order import place
from services.router.offline.summary import units
from services.router.offline.words import STOP, stem_set, terms, tokens

_SAYS = (
    r"(?:give|list|mention|name|contain|state|say|report|include|set|hold|have|"
    r"given|listed|mentioned|named|contained|stated|reported|included|there)s?"
)
_TEXT = r"(?:text|document|notes?|report|file|plan|attachment|minutes|dokument|bericht|plan|datei)"
_ASKS = re.compile(
    rf"\s*(?:which|what)\s(?P<what>.{{2,80}}?)\s(?:do|does|did|are|is|were|has)\b"
    rf"(?=.*\b{_TEXT}\b).*\b{_SAYS}\b.{{0,40}}$|"
    rf"\s*welche[nrsm]?\s(?P<was>.{{2,80}}?)\s(?:nennt|enthält|gibt|erwähnt|führt|macht|stehen|"
    rf"werden|sind|hat)\b.*\b{_TEXT}\b.*$",
    re.IGNORECASE,
)
_PARTS = re.compile(r"\s*(?:[,&/]|\b(?:and|or|und|oder)\b)\s*", re.IGNORECASE)
_FIGURES = stem_set(
    "figure figures number numbers amount amounts metric metrics statistic statistics kpi kpis "
    "value values quantity quantities zahl zahlen kennzahl kennzahlen betrag beträge wert werte"
)
_DATES = stem_set("date dates deadline deadlines day days termin termine datum daten frist fristen")
_FIGURE = re.compile(
    r"[$€£]\s?\d|(?<![\w.:/#-])\d(?:[\d.,]*\d)?\+?\s?(?:%|[€$£]|[A-Za-zµÄÖÜäöü°×]{1,20})"
)
_MOST_LINES = 40
_Tell = Callable[[str], bool]


@dataclass(frozen=True)
class Mentions:
    """What the text gives for one of the things asked for; `quotes` are (quote, headings)."""

    thing: str
    quotes: tuple[tuple[str, tuple[str, ...]], ...]


def mentions(question: str, sources: Sequence[Source]) -> list[Mentions]:
    """Return what the text gives for each thing asked for; none if it gives nothing at all."""
    match = _ASKS.match(question.strip().splitlines()[0][:300]) if question.strip() else None
    if match is None:
        return []
    things = [part.strip() for part in _PARTS.split(match["what"] or match["was"]) if part.strip()]
    found = [Mentions(thing, _quotes(thing, sources)) for thing in things if terms(thing)]
    return found if any(each.quotes for each in found) else []


def show_mentions(found: Sequence[Mentions], say: dict[str, str]) -> str:
    """Return the quotes, a group for each thing, and what the text gives nothing for."""
    blocks = [f"{say['best']}:"]
    for each in found:
        lines = [f"- “{quote}”{_where(path)}" for quote, path in each.quotes[:_MOST_LINES]]
        left = len(each.quotes) - len(lines)
        lines += [say["left"].format(count=left)] if left else []
        title = f"### {each.thing[:1].upper()}{each.thing[1:]}"
        blocks.append("\n".join([title, "", *(lines or [say["unnamed"]])]))
    return "\n\n".join(blocks)


def _quotes(thing: str, sources: Sequence[Source]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the headings and lines that give the thing, each once.

    What stands under a heading that names the thing comes first, the rest in the text's order.
    """
    gives, names, belongs = _test(thing)
    found = [
        (not any(map(names, section.path[:-1])), section.title, section.path[:-1])
        for source in sources
        for section in source.shape.walk()
        if section.level and _says_more(section.title) and gives(section.title)
    ]
    for unit in units(sources):
        under = any(names(title) and not _says_more(title) for title in unit.path[-2:])
        if gives(unit.text) or (under and belongs(unit.text)):
            found.append((not under, unit.text[:600], unit.path))
    found.sort(key=lambda each: each[0])
    kept: dict[str, tuple[str, tuple[str, ...]]] = {}
    for _, quote, path in found:
        kept.setdefault(quote, (quote, path))
    return tuple(kept.values())


def _test(thing: str) -> tuple[_Tell, _Tell, _Tell]:
    """Return what tells that a line gives the thing, that a heading names it, that a line below
    such a heading counts: all lines but for figures and days, which show by themselves.
    """
    wanted = set(terms(thing))
    if wanted <= _FIGURES:
        return _has_figure, lambda title: bool(_FIGURES.intersection(terms(title))), _has_digit
    if wanted <= _DATES:
        return has_date, lambda title: bool(_DATES.intersection(terms(title))), has_date
    return (test := lambda text: wanted <= set(terms(text))), test, bool


def _has_figure(text: str) -> bool:
    return _FIGURE.search(without_dates(text)) is not None


def _has_digit(text: str) -> bool:
    return any(c.isdigit() for c in without_dates(text))


def _says_more(title: str) -> bool:
    """Tell whether a heading gives something itself: "Score: 65 %", not "Targets"."""
    return any(c.isdigit() for c in title[2:]) and len(set(tokens(title)) - STOP) > 1


def _where(path: tuple[str, ...]) -> str:
    where = place(path)
    return f" ({where})" if where else ""
