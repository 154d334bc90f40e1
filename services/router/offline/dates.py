"""Days that a text gives for its items: ISO, English and German forms; no clock is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence

Day = tuple[int, int, int]
"""Year (0 when the text gives none), month, day: only to be compared."""
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "mär": 3, "apr": 4, "may": 5, "mai": 5, "jun": 6, "jul": 7,
    "aug": 8, "sep": 9, "oct": 10, "okt": 10, "nov": 11, "dec": 12, "dez": 12,
}  # fmt: skip
_MONTH = (
    r"(?:jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz?|apr(?:il)?|may|mai|june?|juni|"
    r"july?|juli|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)"
)
_YEAR = r"(?:,?\s(\d{4})\b)?"
_FORMS = (
    r"(\d{4})-(\d{2})-(\d{2})",
    r"(\d{1,2})\.\s?(\d{1,2})\.(\d{4})?",
    rf"(\d{{1,2}})(?:st|nd|rd|th|\.)?\s(?:of\s)?({_MONTH})\b\.?{_YEAR}",
    rf"({_MONTH})\.?\s(\d{{1,2}})(?:st|nd|rd|th)?\b{_YEAR}",
)
_DATE = rf"(?<![\w.-])(?:{'|'.join(_FORMS)})(?![\w-])"
_WHEN = (
    r"(?:before|by|until|till|due|deadline|no later than|at the latest|on|starts?|date|when|bis|"
    r"vor|spätestens|fällig|frist|termin|datum|beginn|am)"
)
_LINK = r"(?:[\s:*|–-]{1,6}(?:(?:on|by|date|the|dem|den|zum|am|bis|spätestens|end of|ende)\s){0,3})"
_DUE = re.compile(rf"(?<!not )(?<!nicht )\b{_WHEN}{_LINK}(?:{_DATE})", re.IGNORECASE)
_DUE_MONTH = re.compile(
    rf"(?<!not )(?<!nicht )\b(before|vor|by|until|till|bis|end of|ende){_LINK}"
    rf"({_MONTH})\b(?:\s(\d{{4}}))?",
    re.IGNORECASE,
)
_BARE = re.compile(
    rf"(?<!since )(?<!from )(?<!after )(?<!seit )(?<!nach )(?<!vom )(?<!ab )(?<!before )"
    rf"(?<!vor ){_DATE}",
    re.IGNORECASE,
)
_AT_START = re.compile(rf"\W{{0,3}}(?:the |dem |den |zum )?(?:{_DATE}|{_MONTH}\b)", re.IGNORECASE)
_ANY = re.compile(_DATE, re.IGNORECASE)
_LATE, _EARLY = 10, 3
_MOST_READ = 600


def due(title: str, details: Sequence[str]) -> tuple[Day, str] | None:
    """Return (day, the words that give it) of an item; its title may name the bare day."""
    title = title[:_MOST_READ]
    bare = _BARE.search(title)
    if found := _due_in(title) or (_read(bare) if bare else None):
        return found
    return next((found for text in details if (found := _due_in(text[:_MOST_READ]))), None)


def has_date(text: str) -> bool:
    """Tell whether a text names a day: "5 December", "5.12.", "2025-12-05"."""
    return _ANY.search(text[:_MOST_READ]) is not None


def without_dates(text: str) -> str:
    """Return a text without the days that it names."""
    return _ANY.sub(" ", text[:_MOST_READ])


def starts_with_date(text: str) -> bool:
    """Tell whether a clause such as "5 December at noon" begins with a day or a month."""
    return _AT_START.match(text) is not None


def in_one_calendar(days: Sequence[Day]) -> list[Day]:
    """Return the days so that they compare: those without a year take the earliest year named.

    Without any year, January to March beside October to December is the year after.
    """
    year = min((day[0] for day in days if day[0]), default=1)
    bare = [day for day in days if not day[0]]
    wraps = any(day[1] >= _LATE for day in bare)
    return [
        day if day[0] else (year + (wraps and day[1] <= _EARLY), day[1], day[2]) for day in days
    ]


def _due_in(text: str) -> tuple[Day, str] | None:
    match = _DUE.search(text)
    if match:
        return _read(match)
    month = _DUE_MONTH.search(text)
    if month is None:
        return None
    day = 0 if month[1].lower() in ("before", "vor") else 32
    return (int(month[3] or 0), _month(month[2]), day), month.group()


def _read(match: re.Match[str]) -> tuple[Day, str] | None:
    """Return the day of the form that matched, if there is such a day."""
    g = match.groups()
    if g[0]:
        year, month, day = int(g[0]), int(g[1]), int(g[2])
    elif g[3]:
        year, month, day = int(g[5] or 0), int(g[4]), int(g[3])
    elif g[6]:
        year, month, day = int(g[8] or 0), _month(g[7]), int(g[6])
    else:
        year, month, day = int(g[11] or 0), _month(g[9]), int(g[10])
    real = 1 <= month <= 12 and 1 <= day <= 31
    return ((year, month, day), match.group().strip()) if real else None


def _month(name: str) -> int:
    return _MONTHS[name[:3].lower()]
