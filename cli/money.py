"""Amounts as people write them, and as the bus carries them: whole minor units."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from shared.errors import InvalidInput
from shared.events.base import Money

_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""Currencies of ISO 4217 whose minor unit does not have two decimals."""


def money(text: str, currency: str, field: str) -> Money:
    """Return `80.50` in `currency`, or `80.50 EUR`; raise for more decimals than it has."""
    number, _, named = text.strip().partition(" ")
    unit = (named or currency).upper()
    try:
        minor = Decimal(number).scaleb(decimals(unit))
    except InvalidOperation:
        raise InvalidInput(f"{field}: {text!r} is not an amount like 80.50", field=field) from None
    if not minor.is_finite() or minor != minor.to_integral_value():
        raise InvalidInput(f"{field}: {text!r} is finer than {unit} counts", field=field)
    try:
        return Money(minor=int(minor), currency=unit)
    except ValueError:
        raise InvalidInput(f"{field}: {unit!r} is no currency like USD", field=field) from None


def decimals(currency: str) -> int:
    """Return how many decimals the minor unit of a currency has (ISO 4217)."""
    return next((count for count, codes in _DECIMALS.items() if currency in codes.split()), 2)


def amount(minor: int, currency: str) -> str:
    """Return minor units as people read them, `80.50 USD`."""
    places = decimals(currency)
    return f"{Decimal(minor).scaleb(-places):,.{places}f} {currency}"


def told(value: Money | None) -> str | None:
    """Return an amount, or None where there is none."""
    return None if value is None else amount(value.minor, value.currency)
