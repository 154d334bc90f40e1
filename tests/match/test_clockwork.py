from datetime import timedelta

import pytest

from services.match.clockwork import expire
from shared.clock import now
from shared.errors import Conflict
from tests.match.conftest import need, provider


async def test_an_offer_ends_by_itself(host):
    async with host() as here:
        await here.add(provider("ana"), need("n1"))
        await here.deal("open", deal_id="d1", need_id="n1", provider_id="ana")
        end = now() + timedelta(days=1)
        await here.deal("move", deal_id="d1", to="offered", expires_at=end)
        assert await expire(here.book, here.writer, now()) == 0
        assert await expire(here.book, here.writer, end) == 1
        deal = (await here.deal("show", deal_id="d1")).deal
        assert (deal.state, deal.history[-1]["actor"]) == ("expired", "match")
        with pytest.raises(Conflict):
            await here.deal("move", deal_id="d1", to="accepted")
