"""Events go out after the fact, in order and together."""

from __future__ import annotations

import asyncio

import pytest

from services.router.telemetry import Telemetry
from services.router.turns import BREATH
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


class Counter:
    """A bus that counts what it is given, and says when the first came."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.count = 0

    async def emit(self, subject: str, body: CacheEvent) -> None:
        self.count += 1
        self.begun.set()


async def test_events_do_not_pile_up_while_more_come_at_every_turn_than_go_in_one_packet() -> None:
    told = Counter()
    telemetry = Telemetry(told)  # type: ignore[arg-type]
    telling = asyncio.create_task(telemetry.run())
    telemetry.cache(CacheEvent(kind="hit", key="k"))
    await told.begun.wait()
    for _ in range(300):
        for _ in range(2 * BREATH):
            telemetry.cache(CacheEvent(kind="hit", key="k"))
        await asyncio.sleep(0)
    telling.cancel()
    assert told.count > 300 * 2 * BREATH - 20 * BREATH
