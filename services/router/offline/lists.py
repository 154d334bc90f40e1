"""Find the list in a text that a property's name means."""

from __future__ import annotations

from services.router.offline.facts import Facts, name_terms
from services.router.offline.intent import kinds_of
from services.router.offline.items import Item, items_of, once
from services.router.offline.markup import Ask
from services.router.offline.pending import find_open
from services.router.offline.risks import find_risks
from services.router.offline.sequence import in_order
from services.router.offline.words import stem_set, terms

_OPEN_NAMES = stem_set("pending action")
_RISK_NAMES = stem_set("risk blocker")
_ORDER_NAMES = stem_set("order priority")
_ANY_NAMES = stem_set("items steps tasks entries list results findings")


def listed(name: str, ask: Ask, facts: Facts) -> list[Item] | None:
    """Return the items meant by a property's name; None when the text has no such list.

    Known names find what is open, in order, or risky; others the list under a heading of that
    name, or the parts of `name: a, b, c`.
    """
    wanted = set(name_terms(name)) | (set(name_terms(ask.instruction)) if not name else set())
    by_kind = _by_kind(wanted, ask, facts)
    if by_kind is not None:
        return by_kind
    found = _under_heading(wanted, facts)
    if found:
        return found
    value = facts.value(name)
    if value is None:
        return None
    return [Item(title=part.strip()) for part in value.split(",") if part.strip()]


def _by_kind(wanted: set[str], ask: Ask, facts: Facts) -> list[Item] | None:
    kinds = kinds_of(ask.instruction or ask.task) if wanted & _ANY_NAMES else []
    if wanted & _RISK_NAMES or kinds[:1] == ["risks"]:
        return [
            Item(title=s.quote, path=s.path, source=s.source, line=s.line)
            for s in find_risks(facts.sources)
        ]
    if wanted & _ORDER_NAMES or kinds[:1] == ["order"]:
        return in_order(_open(facts))
    if wanted & _OPEN_NAMES or kinds[:1] == ["pending"]:
        return _open(facts)
    return None


def _open(facts: Facts) -> list[Item]:
    return list(find_open(facts.sources).best)


def _under_heading(wanted: set[str], facts: Facts) -> list[Item] | None:
    """Return the items of the first section whose heading says every wanted word."""
    for source in facts.sources:
        for section in source.shape.walk():
            if section.level and wanted and wanted <= set(terms(section.title)):
                return once(items_of(section)) or None
    return None
