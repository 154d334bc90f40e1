"""Amounts as people write them, and as the bus carries them: whole minor units."""

from __future__ import annotations

from shared.currencies import parse as money
from shared.currencies import shown as amount
from shared.events.base import Money

__all__ = ["amount", "money", "told"]


def told(value: Money | None) -> str | None:
    """Return an amount, or None where there is none."""
    return None if value is None else amount(value.minor, value.currency)
