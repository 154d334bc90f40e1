"""Labels that a text gives its items itself: priority, number, done or open."""

from __future__ import annotations

import re
from typing import Literal

from services.router.offline.words import tokens, word_set
from shared.mojibake import repair

State = Literal["open", "done", ""]
RANKS: dict[str, float] = {
    **dict.fromkeys(word_set(
"critical blocker blocking urgent asap immediate immediately p0 showstopper now "
        "kritisch dringend sofort eilig"
), 0.0),
    **dict.fromkeys(word_set(
"high highest important must p1 major hoch hohe wichtig muss"
), 1.0),
    **dict.fromkeys(word_set(
"medium normal moderate p2 should mittel mittlere mittelfristig soll"
), 2.0),
    **dict.fromkeys(word_set(
"low lowest minor p3 p4 could someday optional later wont trivial niedrig niedrige gering "
        "geringe kann später"
), 3.0),
}  # fmt: skip
"""What a priority word ranks as, 0 first; the words of English and German trackers."""
_FRAME = word_set(
    "priority priorities prio prios priorität prioritäten items item tasks task todo todos work "
    "have haves to do nice things issues punkte aufgaben severity level"
)
_PRIORITY_KEY = re.compile(
    r"\b(?:priority|prio|priorität|severity|wichtigkeit)\b[^\w\n]{1,6}(\w{1,12})", re.IGNORECASE
)
_BRACKET = re.compile(r"[(\[]\s{0,3}(?:prio(?:rity|rität)?[: ]{0,3})?(\w{1,12})[^)\]\n]{0,24}[)\]]")
_START = re.compile(r"[*_`\[( ]{0,4}(P[0-4]|[A-Za-zäöü]{3,12})[*_`\]) ]{0,4}[:\-–—]\s")
_NUMBERED = re.compile(r"(?:priority|prio|priorität)\s{0,3}#?(\d{1,3})\b[ :.)–—-]{0,4}", re.I)
_STEP = re.compile(r"(?:step|schritt|task|aufgabe|item|phase)?\s{0,2}#?(\d{1,3})[.):]\s+", re.I)
_DONE = re.compile(
    r"^\W{0,6}(?:done|completed?|closed|finished|resolved|fixed|erledigt|abgeschlossen|fertig)\b\s{0,2}"
    r"[:\-–—\])]|[(\[–—-]\s{0,2}(?:done|completed?|closed|finished|resolved|fixed|erledigt|"
    r"abgeschlossen|fertig)\s{0,2}[)\]]?\W{0,3}$",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"^\W{0,6}(?:todo|to do|to-do|fixme|open|pending|offen|ausstehend)\b\s{0,2}[:\-–—\])]|"
    r"[(\[]\s{0,2}(?:open|pending|todo|to do|offen|ausstehend|in progress|wip|blocked|blockiert)"
    r"\s{0,2}[)\]]\W{0,3}$|^\W{0,4}(?:TODO|FIXME)\b",
    re.IGNORECASE,
)
_DONE_MARKS = "✅✔☑🗹"
_OPEN_MARKS = "⏳⌛🔲☐⬜🚧🔴🟡"


def own_state(text: str) -> State:
    """Return what the item says of itself by a mark or a word at its start or end."""
    shown = text if text.isascii() else repair(text)[0]
    if not shown.isascii():
        edge = shown[:4] + shown[-4:]
        if any(mark in edge for mark in _DONE_MARKS):
            return "done"
        if any(mark in edge for mark in _OPEN_MARKS):
            return "open"
    if shown.startswith("~~") and shown.endswith("~~"):
        return "done"
    ends = shown if len(shown) <= 160 else f"{shown[:80]} {shown[-80:]}"
    if _OPEN.search(ends):
        return "open"
    return "done" if _DONE.search(ends) else ""


def is_priority_heading(title: str) -> bool:
    """Tell whether a heading only names a priority: "High Priority", "P1", "Must have"."""
    words = tokens(title)
    ranked = [word for word in words if word in RANKS]
    return bool(ranked) and all(word in RANKS or word in _FRAME for word in words)


def rank_of(label: str) -> float | None:
    """Return the rank of a priority label, 0 first; None when it ranks nothing."""
    ranks = [RANKS[word] for word in tokens(label) if word in RANKS]
    if ranks:
        return min(ranks)
    number = re.search(r"\d{1,3}", label)
    return float(number.group()) if number else None


def item_label(text: str) -> str:
    """Return the priority label that an item carries in its own words, verbatim, or ""."""
    head = text[:300]
    key = _PRIORITY_KEY.search(head)
    if key and (key[1].lower() in RANKS or key[1].isdigit()):
        return key.group().strip()
    for match in _BRACKET.finditer(head):
        if match[1].lower() in RANKS and match[1].lower() not in ("now", "later", "kann", "soll"):
            return match.group()
    start = _START.match(head)
    if start and start[1].lower() in RANKS and start[1].lower() not in ("now", "later"):
        return start[1]
    return "URGENT" if "URGENT" in head or "DRINGEND" in head else ""


def take_number(title: str) -> tuple[int | None, str, str]:
    """Return (number, title without it, priority label) of "Priority 2: Ship", "3. Test"."""
    ranked = _NUMBERED.match(title)
    if ranked and title[ranked.end() :].strip():
        return int(ranked[1]), title[ranked.end() :].strip(), ranked.group().strip(" :.)–—-")
    step = _STEP.match(title)
    if step and title[step.end() :].strip():
        return int(step[1]), title[step.end() :].strip(), ""
    return None, title, ""
