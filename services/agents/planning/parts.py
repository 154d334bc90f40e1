"""Split a question into its parts by punctuation and words, and tell what each part is about."""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUESTION = (
    "what|which|who|whom|whose|when|where|why|how|in what|in which|is there|are there|"
    "was|welche[rsnm]?|wer|wen|wann|wo|warum|wie|womit|wofür|in welcher"
)
_VERBS = (
    "list|summari[sz]e|extract|find|rank|order|prioriti[sz]e|compare|explain|write|draft|create|"
    "build|make|deploy|release|publish|optimi[sz]e|improve|refactor|review|analy[sz]e|plan|"
    "recommend|suggest|check|test|translate|tell|give|name|show|"
    "liste|fasse|nenne|erstelle|schreibe?|prüfe|ordne|plane|zeige|verbessere|baue"
)
_SPLIT = re.compile(
    rf"[?;\n]+|(?<=[.!])\s+|[,:]?\s+(?:and|und|then|dann|sowie|plus)(?: then| dann| also| auch)?\s+"
    rf"(?=(?:{_QUESTION}|{_VERBS})\b)|,\s*(?=(?:{_QUESTION}|{_VERBS})\b)",
    re.IGNORECASE,
)
_LEADS_IN = re.compile(
    r"(?:please |bitte )?(?:read|look (?:at|through)|go through|open|load|take|use|see|study|"
    r"lies|lese|schau|nimm|öffne)\b(?! (?:items?|points?|tasks?|issues?|questions?))",
    re.IGNORECASE,
)
"""How a request begins that only says where to look: no work of its own."""
_SHORTEST = 3
_MOST_CHARS = 2000


@dataclass(frozen=True)
class Aspect:
    """A kind of part that can be told by words: who does it, how the step is put."""

    name: str
    words: re.Pattern[str]
    agent: str
    title: str
    instruction: str
    needs: tuple[str, ...] = ()


def _aspect(name: str, words: str, agent: str, **texts: str) -> Aspect:
    needs = tuple(texts.pop("needs", "").split())
    pattern = re.compile(rf"\b(?:{words})", re.IGNORECASE)
    return Aspect(name, pattern, agent, texts["title"], texts["instruction"], needs)


ASPECTS = (
    _aspect(
        "risks",
        "risk|blocker|danger|threat|problem|obstacle|concern|what could go wrong|go wrong|"
        "risik|gefahr|hindernis|blockier|schiefgeh",
        "analyzer",
        title="Risks",
        instruction="Quote every statement in the text that signals a risk or a blocker: "
        "something missing, needed, failing or not yet working.",
    ),
    _aspect(
        "order",
        "in (?:which|what) (?:order|sequence)|order|priorit|sequence|rank|comes? first|"
        "(?:do|done|start) first|reihenfolge|rangfolge|zuerst|wichtigste",
        "strategist",
        title="Order",
        instruction="Put the items in the order in which they should be done, by their own "
        "priority labels and numbers; keep each item's wording and label.",
        needs="pending",
    ),
    _aspect(
        "pending",
        "pending|still open|what(?:'s| is| are)? (?:\\w+ ){0,2}open\\b|"
        "open (?:item|point|task|issue|question)|to-?dos?\\b|outstanding|"
        "remain|not (?:yet )?(?:done|finished)|unfinished|left to do|backlog|next steps?|"
        "action items?|still (?:needs?|has|have) to|missing work|"
        "offen|ausstehend|unerledigt|noch zu tun|nächste[n]? schritt|aufgaben",
        "analyzer",
        title="Pending",
        instruction="List every item that the text gives as pending, open or still to do, each "
        "with its own wording, its priority label and its sub-points.",
    ),
    _aspect(
        "summary",
        "summar|overview|in short|tl;?dr|main points|gist|zusammenfass|überblick|fasse\\b",
        "analyzer",
        title="Summary",
        instruction="Summarise the text in its own sentences.",
    ),
)


@dataclass(frozen=True)
class Part:
    """One part of a question, in the asker's words, and its aspect if one was recognised."""

    text: str
    aspect: Aspect | None


def split_parts(text: str) -> list[Part]:
    """Return the parts of a question or request; one aspect is named once."""
    parts: list[Part] = []
    pieces = [piece.strip(" ,.:;!?\t\r") for piece in _SPLIT.split(text[:_MOST_CHARS])]
    pieces = [piece for piece in pieces if len(piece) >= _SHORTEST]
    for clean in [piece for piece in pieces if not _LEADS_IN.match(piece)] or pieces:
        known = {part.aspect for part in parts if part.aspect}
        found = [a for a in _aspects(clean) if a not in known]
        if found:
            parts += [Part(clean, aspect) for aspect in found]
        elif not _aspects(clean):
            parts.append(Part(clean, None))
    return parts


def is_question(text: str) -> bool:
    """Tell whether a text asks something: its mark, or its first word."""
    start = rf"(?:{_QUESTION})\b"
    return text.rstrip().endswith("?") or re.match(start, text.strip(), re.IGNORECASE) is not None


def is_request(text: str) -> bool:
    """Tell whether a clause asks for something, by its first word."""
    start = rf"(?:please |bitte )?(?:{_QUESTION}|{_VERBS})\b"
    return re.match(start, text, re.IGNORECASE) is not None


def _aspects(text: str) -> list[Aspect]:
    """Return the aspects of one clause in the order in which its words name them."""
    hits = [(match.start(), aspect) for aspect in ASPECTS if (match := aspect.words.search(text))]
    return [aspect for _, aspect in sorted(hits, key=lambda hit: hit[0])]
