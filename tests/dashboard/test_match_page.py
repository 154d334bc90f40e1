from decimal import Decimal

from services.dashboard.pages.match import deals, needs, providers
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
    names = {"bob": bob.name, "n1": need.title}
    return e.MatchList(profiles=(bob,), needs=(need,), deals=(deal,), names=names)


def test_deals_name_people_and_needs_and_what_was_paid():
    html = deals(known(paid=eur(50_000), refunded=eur(1_000)))
    assert 'title="bob">Bob Builder<' in html
    assert 'title="n1">A web shop<' in html
    assert "500.00 EUR" in html
    assert "10.00 EUR back" in html


def test_an_unknown_name_is_its_id_and_no_payment_is_a_dash():
    html = deals(known().model_copy(update={"names": {}}))
    assert 'title="bob">bob<' in html
    assert '<td class="late right num nowrap">–</td>' in html


def test_deals_are_shown_page_by_page():
    many = known().model_copy(update={"deals": known().deals * 50, "deals_in_all": 120})
    first, second = deals(many), deals(many, 50)
    assert "1 to 50 of 120" in first
    assert ("?skip=50" in first, "newer" in first) == (True, False)
    assert "51 to 100 of 120" in second
    assert ("?skip=0" in second, "?skip=100" in second) == (True, True)
    assert "of 1" not in deals(known().model_copy(update={"deals_in_all": 1}))


def test_what_is_not_shown_of_needs_and_providers_is_counted():
    more = known().model_copy(update={"needs_in_all": 7, "profiles_in_all": 1})
    assert "the latest 1 of 7" in needs(more)
    assert "the latest" not in providers(more)
