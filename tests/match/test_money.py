from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.match.money import checked, positive, returned, share, text
from shared.errors import InvalidInput
from shared.events import Money


def test_halves_go_to_the_even_cent():
    assert [share(minor, Decimal("0.175")) for minor in (20, 60, 100)] == [4, 10, 18]
    assert [share(minor, Decimal("0.5")) for minor in (1, 3, 5)] == [0, 2, 2]


@given(minor=st.integers(1, 10**15), rate=st.decimals(0, 1, places=4))
def test_commission_is_never_more_than_the_payment(minor, rate):
    assert 0 <= share(minor, rate) <= minor


@given(part=st.integers(0, 10**9), cuts=st.lists(st.integers(1, 10**6), min_size=1, max_size=9))
def test_what_goes_back_in_parts_sums_to_the_whole(part, cuts):
    whole, before, sum_back = sum(cuts), 0, 0
    part = min(part, whole)
    for now in cuts:
        back = returned(part, whole, before, now)
        assert 0 <= back <= now
        before, sum_back = before + now, sum_back + back
    assert sum_back == part


def test_amounts_are_shown_with_the_decimals_of_their_currency():
    shown = [text(8000, "USD"), text(500, "JPY"), text(1250, "KWD"), text(-123456, "EUR")]
    assert shown == ["80.00 USD", "500 JPY", "1.250 KWD", "-1,234.56 EUR"]


@pytest.mark.parametrize(
    ("amount", "field"),
    [
        (None, "amount"),
        (Money(minor=0, currency="USD"), "amount.minor"),
        (Money(minor=-5, currency="USD"), "amount.minor"),
        (Money(minor=10**15 + 1, currency="USD"), "amount.minor"),
        (Money(minor=5, currency="XYZ"), "amount.currency"),
    ],
)
def test_an_amount_that_cannot_be_paid_names_its_field(amount, field):
    with pytest.raises(InvalidInput) as caught:
        positive(amount, "amount")
    assert caught.value.field == field


def test_an_unknown_amount_stays_unknown():
    assert checked(None, "rate") is None
