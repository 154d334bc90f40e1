from decimal import Decimal

from services.dashboard.pages.match import deals
from shared import events as e


def eur(minor: int) -> e.Money:
    return e.Money(minor=minor, currency="EUR")


def known(**more) -> e.MatchList:
    deal = e.Deal(
        deal_id="d1", need_id="n1", client_id="acme", provider_id="bob", state="paid",
        amount=eur(90_000), rate=Decimal("0.2"), **more,
    )  # fmt: skip
    bob = e.Profile(party_id="bob", name="Bob Builder")
    need = e.Need(need_id="n1", party_id="acme", title="A web shop")
    return e.MatchList(profiles=(bob,), needs=(need,), deals=(deal,))


def test_deals_name_people_and_needs_and_what_was_paid():
    html = deals(known(paid=eur(50_000), refunded=eur(1_000)))
    assert 'title="bob">Bob Builder<' in html
    assert 'title="n1">A web shop<' in html
    assert "500.00 EUR" in html
    assert "10.00 EUR back" in html


def test_an_unknown_name_is_its_id_and_no_payment_is_a_dash():
    html = deals(known().model_copy(update={"profiles": ()}))
    assert 'title="bob">bob<' in html
    assert '<td class="right num nowrap">–</td>' in html
