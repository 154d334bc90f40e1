"""Currencies of ISO 4217: decimals of their minor unit, amounts read and shown for people."""

from __future__ import annotations

from decimal import Decimal

from shared.errors import InvalidInput
from shared.events.base import Money

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ
GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD
MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS
UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"

EXPONENTS: dict[str, int] = {
    code: exponent
    for exponent, codes in ((0, _NONE), (2, _TWO), (3, _THREE), (4, _FOUR))
    for code in codes.split()
}
"""Decimals of the minor unit by currency code (ISO 4217 list one): JPY 0, USD 2, KWD 3, CLF 4."""


LARGEST = 10**15
"""Most minor units of one amount: sums of a thousand of them still fit 64 bits."""


def decimals(currency: str) -> int:
    """Return how many decimals the minor unit of a currency has; 2 for an unlisted code."""
    return EXPONENTS.get(currency, 2)


def parse(text: str, currency: str, field: str) -> Money:
    """Return `80.50` in `currency`, or `80.50 EUR`; `InvalidInput` names `field` otherwise."""
    number, _, named = text.strip().partition(" ")
    unit = (named.strip() or currency).upper()
    try:
        minor = Decimal(number).scaleb(decimals(unit))
    except ArithmeticError:
        raise InvalidInput(f"{field}: {text!r} is not an amount like 80.50", field=field) from None
    if not minor.is_finite() or abs(minor) > LARGEST:
        raise InvalidInput(f"{field}: {text!r} is not an amount like 80.50", field=field)
    if minor != minor.to_integral_value():
        raise InvalidInput(f"{field}: {text!r} is finer than {unit} counts", field=field)
    try:
        return Money(minor=int(minor), currency=unit)
    except ValueError:
        raise InvalidInput(f"{field}: {unit!r} is no currency like USD", field=field) from None


def shown(minor: int, currency: str) -> str:
    """Return the amount for people: `1,234.56 USD`, `500 JPY`, `1.250 KWD`."""
    places = decimals(currency)
    return f"{Decimal(minor).scaleb(-places):,.{places}f} {currency}"
