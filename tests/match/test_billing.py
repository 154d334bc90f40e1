from datetime import timedelta

import pytest

from services.match.clockwork import charge_due
from shared.clock import now
from shared.errors import Conflict
from shared.events import BillAsk, RevenueAsk
from tests.match.conftest import usd


async def bill(here, action, **ask):
    return await here.handlers.bill(BillAsk(action=action, **ask))


async def test_a_build_is_charged_and_paid_once(host):
    async with host() as here:
        ask = {"party_id": "acme", "stream": "build", "amount": usd(50_000), "key": "b1"}
        await bill(here, "charge", **ask)
        assert (await bill(here, "charge", **ask)).duplicate
        done = await bill(here, "receive", charge="b1", key="b1-paid")
        assert done.charges[0].paid
        with pytest.raises(Conflict, match="is paid"):
            await bill(here, "receive", charge="b1", key="again")
        report = await here.handlers.revenue(RevenueAsk(by="stream"))
        assert [(line.group, line.earned, line.gross) for line in report.lines] == [
            ("build", 50_000, 50_000)
        ]


async def test_a_subscription_is_charged_once_a_month(host):
    async with host() as here:
        ask = {"party_id": "acme", "amount": usd(9900), "set_up": usd(20_000), "key": "wl"}
        first = await bill(here, "subscribe", **ask)
        assert sorted(charge.amount.minor for charge in first.charges) == [9900, 20_000]
        assert await charge_due(here.book, here.writer, now()) == 0
        assert await charge_due(here.book, here.writer, now() + timedelta(days=62)) == 2
        ended = await bill(here, "subscribe", **ask, active=False)
        assert len(ended.charges) == 4
        assert await charge_due(here.book, here.writer, now() + timedelta(days=99)) == 0
