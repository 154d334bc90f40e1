"""Repairs text whose UTF-8 was read as another encoding and saved again."""

from __future__ import annotations

import re
import unicodedata

_EMOJI_STYLE = "\ufe0f"
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
WRONG_ENCODINGS = ("mac_roman", "cp1252", "latin-1")
"""What such text was mistaken for, in the order in which it is tried."""


def repair(text: str) -> tuple[str, int]:
    """Return the text and the number of runs repaired.

    A run of characters beyond ASCII is repaired when its bytes in the wrong encoding are valid
    UTF-8, which text that was never mangled hardly ever is; any other run stays as it is.
    """
    repaired = 0

    def fix(match: re.Match[str]) -> str:
        nonlocal repaired
        found = _decoded(match.group())
        repaired += found is not None
        return match.group() if found is None else found

    return _FOREIGN.sub(fix, text), repaired


def _decoded(run: str) -> str | None:
    for encoding in WRONG_ENCODINGS:
        try:
            found = run.encode(encoding).decode()
        except UnicodeError:
            continue
        if all(map(_likely, found)):
            return found
    return None


def _likely(character: str) -> bool:
    """Tell whether people write this: no control, no unassigned code, no lone accent."""
    category = unicodedata.category(character)
    return character == _EMOJI_STYLE or category not in ("Mn", "Me", "Cc", "Cn", "Co", "Cs")
