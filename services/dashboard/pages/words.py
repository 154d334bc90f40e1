"""Numbers and instants as people read them. None is always a dash, never a zero."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

DASH = "–"
_ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Return text without terminal codes, control characters and direction overrides."""
    return _CONTROL.sub("", _ANSI.sub("", text.replace("\r\n", "\n")))


def cut(text: str, limit: int) -> str:
    """Return at most `limit` characters of one line, with an ellipsis where it was longer."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def duration(seconds: float | None) -> str:
    """Return 340 ms, 2.4 s, 3 min 5 s, 2 h 10 min or 4 d 3 h."""
    if seconds is None:
        return DASH
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return _pair(int(seconds))


def _pair(seconds: int) -> str:
    for size, name, smaller, small_name in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            tail = f" {rest // smaller} {small_name}" if rest // smaller else ""
            return f"{whole} {name}{tail}"
    return f"{seconds} s"


def ago(seconds: float | None) -> str:
    """Return `now`, `12 s ago`, `5 min ago`, `3 h ago` or `2 d ago`."""
    if seconds is None:
        return DASH
    if seconds < 2:
        return "now"
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{int(seconds // size)} {name} ago"
    return "now"


def since(instant: datetime | None, present: datetime) -> float | None:
    """Return the seconds between an instant and the present, never below zero."""
    return None if instant is None else max(0.0, (present - instant).total_seconds())


def memory(count: int | None) -> str:
    """Return bytes as MB or GB (powers of ten)."""
    if count is None:
        return DASH
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def memory_small(count: int) -> str:
    """Return bytes below a megabyte as B or KB, more as `memory` does."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e3:.1f} KB" if count < 1e6 else memory(count)


def percent(share: float | None) -> str:
    """Return a share 0..1 in percent."""
    return DASH if share is None else f"{share * 100:.0f} %"


def dollars(amount: Decimal | None) -> str:
    """Return US dollars; four digits below one cent."""
    if amount is None:
        return DASH
    digits = 4 if amount and abs(amount) < Decimal("0.01") else 2
    return f"${amount:,.{digits}f}"


def money(minor: int | None, currency: str) -> str:
    """Return minor units as an amount with its currency."""
    return DASH if minor is None else f"{Decimal(minor) / 100:,.2f} {currency}"


def count(number: int) -> str:
    """Return a count with thin separators: 12 345."""
    return f"{number:,}".replace(",", "\u202f")


def plural(number: int, word: str) -> str:
    """Return `1 task`, `2 tasks`."""
    return f"{count(number)} {word}" + ("" if number == 1 else "s")
