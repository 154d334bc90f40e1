"""A stranger writes between the decision and the publish of a chain: nothing is built on sand."""

import asyncio

from services.match.deal_acts import MoveDeal
from services.match.money_acts import PayDeal, RefundPayment
from shared.clock import now
from shared.errors import Conflict
from shared.events import DealAsk
from tests.match.conftest import need, provider, usd


class Interrupted:
    """An act during whose first decision something else happens, seen by nobody here yet."""

    def __init__(self, act, happens):
        self.act = act
        self.happens = happens
        self.loop = asyncio.get_running_loop()

    def decide(self, db):
        draft = self.act.decide(db)
        if self.happens is not None:
            happens, self.happens = self.happens, None
            asyncio.run_coroutine_threadsafe(happens, self.loop).result(30)
        return draft

    def reply(self, db):
        return self.act.reply(db)


def pay(deal_id, minor, key):
    return PayDeal(DealAsk(action="pay", deal_id=deal_id, amount=usd(minor), key=key), now())


async def at_once(host, *acts):
    return await asyncio.gather(*(host.writer.do(act) for act in acts), return_exceptions=True)


async def two_deals(host):
    await host.invoiced("d1", 100)
    await host.add(provider("bob"), need("n2"))
    await host.deal("open", deal_id="d2", need_id="n2", provider_id="bob", amount=usd(100))
    for to in ("offered", "accepted"):
        await host.deal("move", deal_id="d2", to=to)


async def test_a_strangers_refund_at_the_place_of_a_link_lets_no_second_one_through(host):
    async with host("one") as one, host("two") as two:
        await two_deals(one)
        await one.deal("pay", deal_id="d1", amount=usd(100), key="p1")
        theirs = two.deal("refund", payment="p1", amount=usd(70), key="theirs")
        first = Interrupted(pay("d2", 5, "p2"), theirs)
        ask = DealAsk(action="refund", payment="p1", amount=usd(70), key="ours")
        paid, refunded = await at_once(one, first, RefundPayment(ask, now()))
        assert not isinstance(paid, Exception)
        assert isinstance(refunded, Conflict) and "0.30" in str(refunded)
        assert (await two.deal("show", deal_id="d1")).deal.refunded == usd(70)


async def test_replays_of_an_overtaken_payment_are_answered_like_the_payment(host):
    async with host("one") as one, host("two") as two:
        await two_deals(one)
        theirs = two.deal("pay", deal_id="d2", amount=usd(7), key="theirs")
        first = Interrupted(pay("d1", 100, "p1"), theirs)
        ends = await at_once(one, first, *(pay("d1", 100, "p1") for _ in range(4)))
        assert [end.duplicate for end in ends] == [False, True, True, True, True]


async def test_a_move_that_rests_on_an_overtaken_payment_is_decided_anew(host):
    async with host("one") as one, host("two") as two:
        await one.invoiced("d1", 100)
        theirs = two.deal("pay", deal_id="d1", amount=usd(1), key="theirs")
        close = MoveDeal(DealAsk(action="move", deal_id="d1", to="closed"), now())
        first = Interrupted(pay("d1", 100, "p1"), theirs)
        paid, closed = await at_once(one, first, close)
        assert isinstance(paid, Conflict) and isinstance(closed, Conflict)
        assert (await two.deal("show", deal_id="d1")).deal.state == "invoiced"
