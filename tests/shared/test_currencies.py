import pytest

from shared.currencies import EXPONENTS, decimals, parse, shown
from shared.errors import InvalidInput


def test_every_listed_currency_reads_what_it_shows():
    for code in EXPONENTS:
        text = shown(123_456, code).replace(",", "")
        assert parse(text, "USD", "x").minor == 123_456


def test_decimals_follow_the_list():
    assert [decimals(code) for code in ("JPY", "USD", "KWD", "CLF", "???")] == [0, 2, 3, 4, 2]


@pytest.mark.parametrize("text", ["1e999999", "-1e30", "9" * 40])
def test_an_endless_amount_is_refused_at_once(text):
    with pytest.raises(InvalidInput, match="rate"):
        parse(text, "USD", "rate")
