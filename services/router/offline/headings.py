"""Headings as people mean them: without marks, emoji and what is left of mangled ones."""

from __future__ import annotations

import unicodedata

from shared.mojibake import repair

_KEPT = ("L", "N", "P", "Z")


def plain(heading: str) -> str:
    """Return a heading without marks: emphasis, emoji, mangled bytes, doubled spaces."""
    text = heading if heading.isascii() else _symbols_gone(repair(heading)[0])
    text = text.replace("**", "").replace("__", "").replace("`", "").replace("~~", "")
    return " ".join(text.split()).strip("*_#: ") or " ".join(heading.split())


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
