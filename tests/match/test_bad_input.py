"""What may never be taken for money or for a score, refused with the field's name."""

import pytest

from services.match.billing import ChargeClient
from services.match.deal_acts import OpenDeal, Terms
from services.match.profile_acts import put
from shared.clock import now
from shared.errors import InvalidInput
from shared.events import (
    BillAsk,
    DealAsk,
    MatchAdd,
    MatchFound,
    MatchScore,
    OutcomesAsk,
    PartyAsk,
    PayoutAsk,
)
from shared.rpc import parse

MONEY = ["1.5", '"100"', "1e2", "NaN", "Infinity", "true", "null", "1.0"]


@pytest.mark.parametrize("minor", MONEY)
@pytest.mark.parametrize("ask", [DealAsk, PayoutAsk, BillAsk])
def test_money_is_whole_minor_units_and_nothing_else(ask, minor):
    action = {DealAsk: "pay", PayoutAsk: "start", BillAsk: "charge"}[ask]
    body = f'{{"action": "{action}", "amount": {{"minor": {minor}, "currency": "USD"}}}}'
    with pytest.raises(InvalidInput) as caught:
        parse(body.encode(), ask)
    assert caught.value.field in ("amount.minor", None)


@pytest.mark.parametrize("currency", ["usd", "US", "DOLLARS", "", "U$D"])
def test_a_currency_is_three_capital_letters(currency):
    body = f'{{"action": "pay", "amount": {{"minor": 1, "currency": "{currency}"}}}}'
    with pytest.raises(InvalidInput, match=r"amount\.currency"):
        parse(body.encode(), DealAsk)


@pytest.mark.parametrize(
    ("minor", "currency", "field"),
    [(-5, "USD", "minor"), (10**16, "USD", "minor"), (1, "XXQ", "currency")],
)
def test_amounts_that_cannot_be_are_named_before_anything_is_written(minor, currency, field):
    money = {"minor": minor, "currency": currency}
    rate = MatchAdd.model_validate({"profile": {"party_id": "a", "name": "A", "rate": money}})
    with pytest.raises(InvalidInput) as caught:
        put(rate)
    assert caught.value.field == f"profile.rate.{field}"
    charge = BillAsk.model_validate(
        {"action": "charge", "party_id": "a", "key": "k", "amount": money}
    )
    with pytest.raises(InvalidInput) as caught:
        ChargeClient(charge, now()).decide(None)  # type: ignore[arg-type]
    assert caught.value.field == f"amount.{field}"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-0.1", "1.1", '"high"'])
def test_scores_levels_and_hours_are_numbers_in_their_range(number):
    skills = f'[{{"name": "x", "level": {number}}}]'
    skill = f'{{"profile": {{"party_id": "a", "name": "A", "skills": {skills}}}}}'
    with pytest.raises(InvalidInput):
        parse(skill.encode(), MatchAdd)
    views = '"need_id": "n", "provider_id": "p", "client_view": 1, "provider_view": 1'
    score = f'{{{views}, "confidence": 1, "total": {number}}}'
    with pytest.raises(InvalidInput):
        parse(score.encode(), MatchScore)


@pytest.mark.parametrize("rate", ["-0.1", "1.01", "NaN"])
def test_a_commission_is_a_share(rate):
    with pytest.raises(InvalidInput, match="rate"):
        parse(f'{{"action": "open", "rate": "{rate}"}}'.encode(), DealAsk)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"key": "k", "outcomes": []}', OutcomesAsk),
        ('{"key": "k", "outcomes": [{"client_id": "a b", "provider_id": "c"}]}', OutcomesAsk),
        ('{"token": "x", "action": "everything"}', PartyAsk),
        ('{"token": "x", "deal_id": "a.b"}', PartyAsk),
        ("[]", MatchFound),
        ("{", DealAsk),
    ],
)  # fmt: skip
def test_what_is_no_request_is_an_answer_with_a_reason(body, kind):
    with pytest.raises(InvalidInput):
        parse(body.encode(), kind)


def test_a_deal_without_need_or_provider_says_what_is_missing():
    with pytest.raises(InvalidInput, match="need_id is missing"):
        OpenDeal(DealAsk(action="open"), Terms(0)).decide(None)  # type: ignore[arg-type]
