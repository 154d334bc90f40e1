"""What a request wants, told by its words: the kinds that rules can do, and those they cannot."""

from __future__ import annotations

import re

from services.router.offline.markup import Ask

KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"\b(?:{words})", re.IGNORECASE))
    for name, words in (
        (
            "pending",
            r"pending|still open|"
            r"open (?:items?|points?|tasks?|issues?|questions?|work|topics?|to-?dos?)|"
            r"what(?:'s| is| are)? (?:\w+ ){0,2}open\b|to-?dos?\b|outstanding|remain(?:s|ing)?\b|"
            r"(?:not|isn't) (?:yet )?(?:done|finished|complete)|unfinished|left to do|backlog|"
            r"next steps?|action items?|still (?:needs?|has|have) to|still to (?:do|be done)|"
            r"(?:what|was) (?:ist|sind|steht|stehen) (?:\w+ ){0,2}(?:offen|aus)\b|noch offen|"
            r"offene?[nrs]? (?:punkte|aufgaben|themen|fragen)|ausstehend|unerledigt|"
            r"noch zu (?:tun|erledigen)|nächsten? schritte",
        ),
        (
            "order",
            r"in (?:which|what) (?:order|sequence)|(?:in|the|an?|put|by) (?:\w+ )?order\b(?! to)|"
            r"prioriti[sz]|by (?:\w+ )?priorit(?:y|ies)|sequence\b|rank|comes? first|"
            r"(?:do|done|start|begin) (?:with )?first|most (?:urgent|important)|"
            r"reihenfolge|rangfolge|zuerst|priorität",
        ),
        (
            "risks",
            r"risks?\b|risky|blockers?\b|dangers?\b|threats?\b|obstacles?\b|concerns?\b|"
            r"what (?:could|can|might) go wrong|problems?\b|risiken|risiko|gefahren?\b|"
            r"hindernisse?|probleme?\b|schiefgehen",
        ),
        (
            "summary",
            r"summar(?:y|ise|ize|ies|ising|izing)|overview\b|in short\b|tl;?dr|main points|gist\b|"
            r"key points|zusammenfass|fasse?\b|überblick|kurzfassung",
        ),
        ("checklist", r"check ?list|to-?do list|task list|aufgabenliste"),
        ("combine", r"combine|merge|put together|bring together|one answer|zusammenführ|kombinier"),
    )
)
_MAKE = (
    r"(?:write|draft|compose|create|build|make|generate|implement|design|develop|code|program|"
    r"schreib\w*|erstell\w*|entwirf|baue?\b|entwickl\w*|formulier\w*|verfass\w*)"
)
_THINGS = (
    r"(?:poem|story|song|essay|e-?mails?|mail|letter|code|function|script|program|app\b|apps\b|"
    r"application|web ?site|page|class|unit tests?|tests?\b|article|blog|speech|haiku|joke|memo|"
    r"tweet|post\b|slogan|run ?book|gedicht|geschichte|brief\b|anwendung|programm|skript|"
    r"artikel|rede\b)"
)
_CREATIVE = re.compile(rf"\b{_MAKE}\b[^.;?!\n]{{0,80}}\b{_THINGS}", re.IGNORECASE)
_THINKING = re.compile(
    r"\b(?:translat\w*|übersetz\w*|rewrit\w*|rephras\w*|paraphras\w*|refactor\w*|mitigat\w*|imagine|"
    r"invent|brainstorm|umformulier\w*|gegenmaßnahm\w*|root cause analysis)\b",
    re.IGNORECASE,
)
_JUDGING = re.compile(
    r"\b(?:suggest|propose|recommend|predict|forecast|estimate|optimi[sz]e|improve|solve|fix|debug|"
    r"criticise|critique|evaluate|judge|opinion|your view|schlage?\b|empfiehl|verbesser\w*|"
    r"schätze?\b|bewerte|löse)\b",
    re.IGNORECASE,
)
_MAKING = re.compile(rf"\b{_MAKE}\b", re.IGNORECASE)
_OF_TASK = re.compile(
    r"\b(?:about the task|(?:what )?the task asks|as asked|the request)\b", re.IGNORECASE
)


def kinds_of(text: str) -> list[str]:
    """Return the kinds of work that `text` asks for, in the order in which it names them."""
    hits = [(match.start(), name) for name, words in KINDS if (match := words.search(text))]
    found = [name for _, name in sorted(hits)]
    if "checklist" in found:
        return ["checklist"]
    return found


def wish(ask: Ask) -> str:
    """Return the words that say what is wanted: the instruction, or the task when it defers."""
    if not ask.instruction or _OF_TASK.search(ask.instruction):
        return ask.task or ask.instruction
    return ask.instruction


def beyond_rules(text: str, kinds: list[str]) -> bool:
    """Tell whether `text` asks for something that only a model can make or judge."""
    if _THINKING.search(text) or _CREATIVE.search(text):
        return True
    return not kinds and bool(_JUDGING.search(text) or _MAKING.search(text))
