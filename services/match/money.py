"""Exact money: integer minor units, a Decimal rate, parts that always sum to the whole."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from shared.currencies import EXPONENTS, LARGEST, shown
from shared.errors import InvalidInput
from shared.events import Money

text = shown


def known(currency: str, field: str) -> str:
    """Return the currency code if ISO 4217 lists it; else raise `InvalidInput`."""
    if currency not in EXPONENTS:
        raise InvalidInput(f"{field}: {currency} is no currency of ISO 4217", field=field)
    return currency


def checked(amount: Money | None, field: str) -> Money | None:
    """Return an amount that may be zero or unknown, but neither negative nor in no currency."""
    if amount is None:
        return None
    known(amount.currency, f"{field}.currency")
    if not 0 <= amount.minor <= LARGEST:
        raise InvalidInput(
            f"{field}.minor must be from 0 to {LARGEST}, not {amount.minor}", field=f"{field}.minor"
        )
    return amount


def positive(amount: Money | None, field: str) -> Money:
    """Return an amount above zero; a missing, zero or negative one is `InvalidInput`."""
    if amount is None:
        raise InvalidInput(f"{field} is missing", field=field)
    if amount.minor <= 0:
        at = f"{field}.minor"
        raise InvalidInput(f"{at} must be above 0, not {amount.minor}", field=at)
    checked(amount, field)
    return amount


def share(minor: int, rate: Decimal) -> int:
    """Return `rate` of `minor`, rounded to whole minor units, half to even; at most `minor`."""
    return int((Decimal(minor) * rate).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def returned(part: int, whole: int, before: int, now: int) -> int:
    """Return how much of `part` goes back when `now` of `whole` does, after `before` already did.

    The rounded running total of what went back leaves no remainder: refunds in any parts sum to
    `part` once all of `whole` has gone back (for two parts this is the largest-remainder method).
    """
    return round(Fraction(part * (before + now), whole)) - round(Fraction(part * before, whole))
