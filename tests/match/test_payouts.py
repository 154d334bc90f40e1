import pytest

from shared.errors import Conflict, NotFound
from shared.events import PayoutAsk, RevenueAsk
from tests.match.conftest import usd


async def paid(here):
    await here.invoiced("d1")
    await here.deal("pay", deal_id="d1", amount=usd(10_000), key="p1")


async def payout(here, action, **ask):
    return await here.handlers.payout(PayoutAsk(action=action, **ask))


async def start(here, minor, key):
    return await payout(here, "start", provider_id="ana", amount=usd(minor), key=key)


async def balance(here) -> dict[str, int]:
    return (await here.handlers.revenue(RevenueAsk())).trial_balance["USD"]


async def test_a_payout_goes_through_transit_to_cash(host):
    async with host() as here:
        await paid(here)
        assert (await start(here, 8000, "o1")).payouts[0].state == "sent"
        assert (await balance(here))["payout:transit"] == -8000
        done = await payout(here, "settle", payout="o1")
        assert done.payouts[0].state == "settled"
        assert (await balance(here))["cash"] == 2000


async def test_no_more_goes_out_than_is_owed_and_nothing_twice(host):
    async with host() as here:
        await paid(here)
        await start(here, 5000, "o1")
        assert (await start(here, 5000, "o1")).duplicate
        with pytest.raises(Conflict, match=r"only 30\.00 USD is owed"):
            await start(here, 3001, "o2")


async def test_an_unknown_payout_is_reconciled_before_another_one(host):
    async with host() as here:
        await paid(here)
        await start(here, 5000, "o1")
        doubt = await payout(here, "unknown", payout="o1", reason="the bank timed out")
        assert (doubt.payouts[0].state, doubt.payouts[0].reason) == (
            "unknown",
            "the bank timed out",
        )
        with pytest.raises(Conflict, match="settle or fail it first"):
            await start(here, 100, "o2")
        assert (await payout(here, "fail", payout="o1")).payouts[0].state == "failed"
        with pytest.raises(Conflict, match="is failed"):
            await payout(here, "settle", payout="o1")
        assert (await start(here, 8000, "o2")).payouts[0].state == "sent"


async def test_a_payout_that_is_not_there_is_named(host):
    async with host() as here:
        with pytest.raises(NotFound) as caught:
            await payout(here, "settle", payout="o9")
        assert caught.value.field == "payout"
        assert (await payout(here, "list")).payouts == ()
