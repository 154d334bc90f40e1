import asyncio

import pytest

from shared.errors import Conflict, InvalidInput, NotFound
from shared.events import MatchAdd, MatchAssign, MatchFind, MatchListAsk, RevenueAsk
from tests.match.conftest import need, provider, usd


async def fails(call) -> str:
    with pytest.raises((Conflict, InvalidInput, NotFound)) as caught:
        await call
    return str(caught.value.field)


async def test_what_was_added_is_listed_once(host):
    async with host() as here:
        await here.add(provider("ana"), need("n1"), provider("ana"))
        known = await here.handlers.list(MatchListAsk())
        assert [len(known.profiles), len(known.needs)] == [1, 1]


async def test_a_page_of_deals_tells_names_and_how_many_there_are(host):
    async with host() as here:
        await here.add(provider("ana"), provider("bob"), need("n1"))
        for number, party in enumerate(("ana", "bob")):
            about = {"need_id": "n1", "provider_id": party}
            await here.deal("open", **about, amount=usd(100), key=f"k{number}")
        known = await here.handlers.list(MatchListAsk(limit=1, skip=1))
        assert [deal.provider_id for deal in known.deals] == ["ana"]
        assert known.names.keys() == {"ana", "n1"}
        assert (known.profiles_in_all, known.needs_in_all, known.deals_in_all) == (2, 1, 2)


async def test_a_deal_is_paid_and_its_commission_booked(host):
    async with host() as here:
        await here.invoiced("d1")
        done = await here.deal("pay", deal_id="d1", amount=usd(10_001), key="p1")
        assert (done.deal.state, done.deal.paid) == ("paid", usd(10_001))
        report = await here.handlers.revenue(RevenueAsk(by="currency"))
        assert (report.lines[0].earned, report.lines[0].payable) == (2000, 8001)
        assert sum(report.trial_balance["USD"].values()) == 0


async def test_a_hundred_replays_pay_once(host):
    async with host() as here:
        await here.invoiced("d1")
        pays = (here.deal("pay", deal_id="d1", amount=usd(5000), key="p1") for _ in range(100))
        replies = await asyncio.gather(*pays)
        assert sum(not reply.duplicate for reply in replies) == 1
        assert replies[0].deal.paid == usd(5000)


async def test_a_key_is_closed_even_after_its_payment_went_back(host):
    async with host() as here:
        await here.invoiced("d1")
        await here.deal("pay", deal_id="d1", amount=usd(10_001), key="p1")
        await here.deal("refund", payment="p1", key="r1")
        again = await here.deal("pay", deal_id="d1", amount=usd(10_001), key="p1")
        assert again.duplicate
        assert (again.deal.paid, again.deal.refunded) == (usd(10_001), usd(10_001))


async def test_a_key_of_another_act_is_a_conflict(host):
    async with host() as here:
        await here.invoiced("d1")
        await here.deal("pay", deal_id="d1", amount=usd(100), key="p1")
        assert await fails(here.deal("pay", deal_id="d1", amount=usd(200), key="p1")) == "key"
        assert await fails(here.deal("refund", payment="p1", key="p1")) == "key"


async def test_no_more_goes_back_than_was_paid(host):
    async with host() as here:
        await here.invoiced("d1")
        await here.deal("pay", deal_id="d1", amount=usd(100), key="p1")
        await here.deal("refund", payment="p1", amount=usd(60), key="r1")
        refund = here.deal("refund", payment="p1", amount=usd(41), key="r2")
        assert await fails(refund) == "amount.minor"
        rest = await here.deal("refund", payment="p1", key="r3")
        assert rest.deal.refunded == usd(100)
        assert await fails(here.deal("refund", payment="p1", key="r4")) == "payment"


async def test_money_needs_a_key_and_its_own_currency(host):
    async with host() as here:
        await here.invoiced("d1")
        yen = usd(100).model_copy(update={"currency": "JPY"})
        assert await fails(here.deal("pay", deal_id="d1", amount=usd(1))) == "key"
        assert await fails(here.deal("pay", deal_id="d1", key="k")) == "amount"
        pay = here.deal("pay", deal_id="d1", amount=yen, key="k")
        assert await fails(pay) == "amount.currency"


async def test_a_frozen_rate_stays(host):
    async with host() as here:
        await here.invoiced("d1", 1000, rate="0.175")
        other = here.deal("pay", deal_id="d1", amount=usd(100), key="p1", rate="0.2")
        assert await fails(other) == "rate"
        await here.deal("pay", deal_id="d1", amount=usd(100), key="p1")
        report = await here.handlers.revenue(RevenueAsk())
        assert report.lines[0].earned == 18


async def test_a_provider_at_capacity_takes_no_more(host):
    async with host() as here:
        await here.add(provider("ana", capacity=1), need("n1"), need("n2"), need("n3"))
        for name in ("n1", "n2"):
            await here.deal("open", deal_id=name, need_id=name, provider_id="ana")
            await here.deal("move", deal_id=name, to="offered")
        await here.deal("move", deal_id="n1", to="accepted")
        assert await fails(here.deal("move", deal_id="n2", to="accepted")) == "provider_id"
        third = here.deal("open", deal_id="n3", need_id="n3", provider_id="ana")
        assert await fails(third) == "provider_id"


async def test_who_is_engaged_or_declined_is_not_ranked(host):
    async with host() as here:
        await here.add(*(provider(p) for p in ("ana", "bob", "eve")), need("n1"), need("n2"))
        await here.deal("open", deal_id="d1", need_id="n2", provider_id="ana")
        await here.deal("move", deal_id="d1", to="offered")
        await here.deal("move", deal_id="d1", to="accepted")
        await here.deal("open", deal_id="d2", need_id="n1", provider_id="bob")
        await here.deal("move", deal_id="d2", to="declined")
        found = await here.handlers.find(MatchFind(need_id="n1"))
        assert ([s.provider_id for s in found.scores], found.blocked) == (["eve"], 2)


async def test_a_need_without_a_budget_is_ranked_but_not_dealt_in(host):
    async with host() as here:
        await here.add(provider("ana"), need("n1", budget=None))
        found = await here.handlers.find(MatchFind(need_id="n1"))
        assert "rate and budget in one currency" in found.scores[0].missing
        assert await fails(here.deal("open", need_id="n1", provider_id="ana")) == "budget"


async def test_an_expired_offer_cannot_be_accepted(host):
    async with host() as here:
        await here.add(provider("ana"), need("n1"))
        await here.deal("open", deal_id="d1", need_id="n1", provider_id="ana")
        past = "2020-01-01T00:00:00Z"
        move = here.deal("move", deal_id="d1", to="offered", expires_at=past)
        assert await fails(move) == "expires_at"


async def test_what_is_not_there_is_named(host):
    async with host() as here:
        assert await fails(here.handlers.find(MatchFind(need_id="n9"))) == "need_id"
        assert await fails(here.deal("show", deal_id="d9")) == "deal_id"
        assert await fails(here.deal("refund", payment="p9", key="k")) == "payment"
        assert await fails(here.handlers.add(MatchAdd())) == "profile"


async def test_a_pool_is_paired(host):
    async with host() as here:
        await here.add(*(provider(p) for p in ("ana", "bob")), need("n1"), need("n2"), need("n3"))
        made = await here.handlers.assign(MatchAssign())
        assert (len(made.pairs), len(made.unmatched_needs)) == (2, 1)
        stable = await here.handlers.assign(MatchAssign(mode="stable"))
        assert stable.blocking_pairs == 0


async def test_an_empty_market_is_no_error(host):
    async with host() as here:
        await here.add(need("n1"))
        found = await here.handlers.find(MatchFind(need_id="n1"))
        assert found.notice == "there are no providers yet"
        assert (await here.handlers.assign(MatchAssign())).unmatched_needs == ("n1",)
