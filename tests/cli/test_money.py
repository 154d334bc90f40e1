import pytest

from cli.money import amount, money, told
from shared.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "minor", "currency"),
    [
        ("80.50", 8050, "USD"),
        ("80 EUR", 8000, "EUR"),
        ("500 jpy", 500, "JPY"),
        ("1.234 KWD", 1234, "KWD"),
    ],
)
def test_amounts_become_whole_minor_units(text, minor, currency):
    found = money(text, "USD", "--rate")
    assert (found.minor, found.currency) == (minor, currency)


@pytest.mark.parametrize("text", ["", "lots", "1.005", "0.5 JPY", "NaN", "Infinity", "5 DOLLARS"])
def test_anything_else_names_the_option(text):
    with pytest.raises(InvalidInput, match="--rate"):
        money(text, "USD", "--rate")


def test_amounts_are_read_back():
    assert (amount(123456, "USD"), amount(500, "JPY")) == ("1,234.56 USD", "500 JPY")
    assert (told(None), told(money("3", "USD", "x"))) == (None, "3.00 USD")
