"""Events go out after the fact, in order and together."""

from __future__ import annotations

import asyncio

import pytest

from services.router.telemetry import BREATH, Telemetry
from shared.bus import Bus, decode
from shared.events import CacheEvent
from shared.subjects import cache_event


@pytest.mark.parametrize("many", [1, 3 * BREATH + 1])
async def test_every_event_is_told_once_and_in_order(bus: Bus, many: int) -> None:
    heard = await bus.nc.subscribe(cache_event("hit"))
    telemetry = Telemetry(bus)
    for number in range(many):
        telemetry.cache(CacheEvent(kind="hit", key=str(number)))
    async with asyncio.timeout(30):
        telling = asyncio.create_task(telemetry.run())
        told = [decode((await heard.next_msg(30)).data, CacheEvent) for _ in range(many)]
    telling.cancel()
    assert [event.key for event in told] == [str(number) for number in range(many)]
