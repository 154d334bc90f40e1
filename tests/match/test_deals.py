from itertools import pairwise

import pytest

from services.match import deals
from shared.errors import Conflict, InvalidInput


def test_a_deal_walks_from_proposed_to_closed():
    way = ["proposed", "shortlisted", "offered", "accepted", "active", "delivered", "invoiced"]
    for state, to in pairwise(way):
        deals.check_move(state, to)
    deals.check_move("paid", "closed")


def test_a_final_state_goes_nowhere_and_says_so():
    for state in ("closed", "declined", "withdrawn", "expired", "cancelled", "refunded"):
        with pytest.raises(Conflict, match="final"):
            deals.check_move(state, "active")


def test_nobody_can_declare_a_deal_paid():
    with pytest.raises(InvalidInput) as caught:
        deals.check_move("invoiced", "paid")
    assert caught.value.field == "to"


@pytest.mark.parametrize(
    ("state", "paid", "refunded", "stands"),
    [
        ("invoiced", 99, 0, "invoiced"),
        ("invoiced", 100, 0, "paid"),
        ("invoiced", 100, 40, "paid"),
        ("closed", 100, 100, "refunded"),
        ("active", 100, 100, "active"),
        ("disputed", 100, 0, "disputed"),
    ],
)
def test_money_decides_between_invoiced_paid_and_refunded(state, paid, refunded, stands):
    assert deals.standing(state, 100, paid, refunded) == stands


def test_no_more_is_paid_than_was_agreed():
    deals.check_payment("invoiced", (100, "USD"), 60, 40)
    with pytest.raises(Conflict, match=r"only 0\.40 USD is left"):
        deals.check_payment("invoiced", (100, "USD"), 60, 41)


def test_a_proposal_takes_no_payment():
    with pytest.raises(Conflict) as caught:
        deals.check_payment("proposed", (100, "USD"), 0, 100)
    assert caught.value.field == "deal_id"
