"""Undo text that was decoded with the wrong table, so that marks such as a tick are recognised."""

from __future__ import annotations

import re
import unicodedata

_RUN = re.compile(r"[^\x00-\x7f]+")
_WRONG_TABLES = ("mac_roman", "cp1252", "latin-1")
_KEPT = ("L", "N", "P", "Z")


def repaired(text: str) -> str:
    """Return `text` with each run of UTF-8 that was read as Mac Roman or Windows-1252 put right.

    A run that is no such thing (an ordinary umlaut, a real emoji) stays as it is.
    """
    return text if text.isascii() else _RUN.sub(_run, text)


def plain(heading: str) -> str:
    """Return a heading without marks: emphasis, emoji, mangled bytes, doubled spaces."""
    text = heading if heading.isascii() else _symbols_gone(repaired(heading))
    text = text.replace("**", "").replace("__", "").replace("`", "").replace("~~", "")
    return " ".join(text.split()).strip("*_#: ") or " ".join(heading.split())


def _run(match: re.Match[str]) -> str:
    run = match.group()
    if len(run) < 2:
        return run
    for table in _WRONG_TABLES:
        try:
            return run.encode(table).decode("utf-8")
        except UnicodeError:
            continue
    return run


def _symbols_gone(text: str) -> str:
    kept = "".join(c if _is_text(c) else " " for c in text)
    first, _, rest = kept.strip().partition(" ")
    return rest if rest and _is_rubble(first) else kept


def _is_text(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith(_KEPT) or character in "+=<>|~^$€£→%" or category == "Sc"


def _is_rubble(word: str) -> bool:
    """Tell whether a heading's first word is only what is left of an emoji."""
    return len(word) <= 6 and all("\x7f" < c < "\u0250" or c in "‚„†‡‰‹›" for c in word)
