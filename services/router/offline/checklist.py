"""Turn a description into a checklist: its own items, else its sentences that ask for something."""

from __future__ import annotations

import re
from collections.abc import Iterable

from services.router.offline.items import items_of, once
from services.router.offline.markup import Source
from services.router.offline.pending import find_open
from services.router.offline.sentences import sentences

_DEMAND = re.compile(
    r"\b(?:must|should|shall|need(?:s|ed)? to|has to|have to|require[sd]?|make sure|ensure|"
    r"please|muss|müssen|soll(?:te|ten|en)?|bitte|sicherstellen)\b",
    re.IGNORECASE,
)
_VERB_FIRST = re.compile(
    r"(?:add|allow|build|call|change|check|clean|configure|copy|create|define|delete|deploy|"
    r"document|enable|fix|implement|install|integrate|let|make|measure|migrate|move|open|order|"
    r"prepare|provide|publish|record|remove|rename|replace|review|run|send|set|show|start|stop|"
    r"store|support|test|track|update|use|verify|write)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r";\s+|,?\s+(?:then|and then|dann|und dann)\s+")
_MOST = 100


def checklist(sources: Iterable[Source]) -> str | None:
    """Return `- [ ]` lines in the text's own words; None when the text asks for nothing.

    What a text marks as open is its checklist; else its list; else its sentences that ask.
    """
    found: list[str] = []
    for source in sources:
        still_open = [item.title for item in find_open([source]).items]
        found += still_open or _listed(source) or _demanded(source)
    lines = list(dict.fromkeys(found))[:_MOST]
    return "\n".join(f"- [ ] {line}" for line in lines) if lines else None


def _listed(source: Source) -> list[str]:
    """Return the titles of the text's list items, if it has at least two."""
    root = source.shape
    if sum(piece.kind in ("item", "row") for _, piece in root.all_pieces()) < 2:
        return []
    return [item.title for item in once(items_of(root)) if item.state != "done"]


def _demanded(source: Source) -> list[str]:
    found: list[str] = []
    for _, piece in source.shape.all_pieces():
        for sentence in sentences(piece.text) if piece.kind != "code" else ():
            clauses = [clause.strip(" .") for clause in _CLAUSE.split(sentence)]
            found += [c for c in clauses if _DEMAND.search(c) or _VERB_FIRST.match(c)]
    return [clause for clause in found if len(clause.split()) > 1]
