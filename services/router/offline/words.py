"""Words of English and German: tokens, light stems, stop words, synonyms."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_ENDINGS = (
    ("ungen", ""), ("ingly", ""), ("ments", ""), ("ment", ""), ("ings", ""), ("ing", ""),
    ("ies", "y"), ("ied", "y"), ("ung", ""), ("ten", ""), ("est", ""), ("ed", ""), ("es", ""),
    ("er", ""), ("en", ""), ("em", ""), ("ly", ""), ("'s", ""), ("s", ""), ("e", ""), ("n", ""),
)  # fmt: skip
_ANY_ENDING = tuple(ending for ending, _ in _ENDINGS)
_SHORTEST_STEM = 3


def word_set(text: str) -> frozenset[str]:
    """Return the words of a space-separated list."""
    return frozenset(text.split())


STOP = word_set(
    "a an the this that these those it its is are was were be been being am do does did done have "
    "has had having will would shall should can could may might must i you he she we they them "
    "his her their our your my me us and or but if then else of in on at to for from by with "
    "about into over under as so than too very not no nor only own same both each few more most "
    "other some such what which who whom whose when where why how there here all any please tell "
    "give list show name quote say says said text document documents given attached attachment "
    "made make makes get got "
    "input inputs task file every item items according following still just also between during "
    "der die das den dem des ein eine einer eines einem einen und oder aber wenn dann ist sind war "
    "waren sein werden wird wurde hat haben hatte kann können soll sollte muss müssen ich du er "
    "sie es wir ihr uns euch mich mir dich dir von zu zum zur im in am an auf aus bei mit nach vor "
    "für über unter durch um als wie was welche welcher welches wer wem wen wann wo warum noch "
    "nicht kein keine auch nur schon sehr bitte nenne zeige liste text dokument datei gibt"
)  # fmt: skip

SYNONYMS: dict[str, tuple[str, ...]] = {
    "pending": (
        "open",
        "todo",
        "remaining",
        "outstanding",
        "unfinished",
        "undone",
        "next",
        "backlog",
        "offen",
        "ausstehend",
        "unerledigt",
        "rest",
    ),
    "order": ("priority", "prio", "first", "sequence", "rank", "reihenfolge", "priorität"),
    "risk": (
        "blocker",
        "danger",
        "threat",
        "problem",
        "issue",
        "missing",
        "failure",
        "risiko",
        "gefahr",
        "hindernis",
    ),
    "cost": ("price", "expense", "spend", "fee", "kosten", "preis", "ausgabe"),
    "revenue": ("income", "earning", "sales", "turnover", "umsatz", "einnahme"),
    "decide": ("decision", "agree", "resolve", "entscheidung", "beschluss", "entschied"),
    "person": ("owner", "responsible", "assignee", "lead", "verantwortlich", "zuständig"),
    "date": ("deadline", "due", "when", "day", "frist", "termin", "datum", "fällig"),
    "cause": ("reason", "because", "root", "why", "ursache", "grund"),
    "address": ("url", "link", "endpoint", "location", "adresse"),
    "people": ("attend", "attendee", "participant", "present", "teilnehmer", "anwesend"),
}
"""Words taken for one another when a question is matched with a text; the key stands for all."""


def tokens(text: str) -> list[str]:
    """Return the words of `text` in lower case."""
    return _TOKEN.findall(text.lower())


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return a word without its commonest endings; words that mean one thing share a stem."""
    found = word
    for ending, instead in _ENDINGS if word.endswith(_ANY_ENDING) else ():
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            found = word[: len(word) - len(ending)] + instead
            break
    if len(found) > _SHORTEST_STEM and found[-1] == found[-2] and found[-1] not in "aeiou":
        found = found[:-1]
    return _GROUP.get(found, found) if _GROUP else found


def stem_set(text: str) -> frozenset[str]:
    """Return the stems of the words of a space-separated list."""
    return frozenset(stem(word) for word in text.split())


def terms(text: str) -> list[str]:
    """Return the stems of the words that carry meaning, in order, repeated as they stand."""
    return [stem(word) for word in tokens(text) if word not in STOP and _carries(word)]


def query_terms(text: str) -> list[str]:
    """Return the terms of a question, each once; the few words of a question word add a group."""
    return list(dict.fromkeys(terms(text)))


def _carries(word: str) -> bool:
    return len(word) > 1 or word.isdigit()


_GROUP: dict[str, str] = {}


def _grouped() -> dict[str, str]:
    """Return stem to the stem of its group's key."""
    return {
        stem(form): stem(key)
        for key, words in SYNONYMS.items()
        for word in (key, *words)
        for form in (word, f"{word}s")
    }


_GROUP.update(_grouped())
stem.cache_clear()
