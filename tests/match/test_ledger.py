from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.match import ledger
from shared.errors import InvalidInput
from shared.events import LedgerEntry, Posting


def payment(minor: int, rate: str) -> LedgerEntry:
    lines = ledger.payment_postings("ana", minor, Decimal(rate))
    return entry(lines, rate)


def entry(lines, rate: str = "0.2") -> LedgerEntry:
    return LedgerEntry(
        entry_id="p", key="p", kind="payment", currency="USD", rate=Decimal(rate), postings=lines
    )


def amounts(lines) -> dict[str, int]:
    return {line.account: line.minor for line in lines}


def test_a_payment_is_split_between_provider_and_platform():
    assert amounts(payment(10_001, "0.20").postings) == {
        "cash": 10_001,
        "provider:ana:payable": -8_001,
        "platform:commission": -2_000,
    }


def test_a_part_of_nothing_is_no_line():
    assert set(amounts(payment(1, "0.20").postings)) == {"cash", "provider:ana:payable"}


@given(minor=st.integers(1, 10**12), rate=st.decimals(0, 1, places=4), cut=st.floats(0.01, 0.99))
def test_two_refunds_mirror_the_whole_payment(minor, rate, cut):
    paid = payment(minor, str(rate))
    first = max(1, int(minor * cut)) if minor > 1 else 1
    lines = list(ledger.refund_postings(paid, 0, first))
    if minor > first:
        lines += ledger.refund_postings(paid, first, minor - first)
    sums: dict[str, int] = {}
    for line in (*paid.postings, *lines):
        sums[line.account] = sums.get(line.account, 0) + line.minor
    assert set(sums.values()) == {0}


def test_a_refund_uses_the_rate_of_its_own_payment():
    lines = ledger.refund_postings(payment(1000, "0.175"), 0, 100)
    assert amounts(lines) == {
        "cash": -100,
        "platform:commission": 18,
        "provider:ana:payable": 82,
    }


def test_an_entry_that_does_not_balance_is_refused():
    lines = (Posting(account="cash", minor=5), Posting(account="platform:commission", minor=-4))
    with pytest.raises(InvalidInput, match="sum to 1"):
        ledger.check_balance(entry(lines))
