import asyncio

import pytest

from services.router.slots import Slots
from shared.errors import Busy
from tests.router.conftest import until


async def hold(slots: Slots, priority: str, order: list[str], gate: asyncio.Event) -> None:
    async with slots.hold(priority):
        order.append(priority)
        await gate.wait()


async def test_urgent_ones_overtake_those_that_wait():
    slots, order, gate = Slots(1, 10), [], asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for priority in ("normal", "low", "high", "urgent"):
            tasks.create_task(hold(slots, priority, order, gate))
        await until(lambda: slots.waiting == 3)
        gate.set()
    assert order == ["normal", "urgent", "high", "low"]


async def test_a_full_queue_says_busy_and_when_to_come_back():
    slots, gate = Slots(1, 1), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(hold(slots, "normal", [], gate))
        await until(lambda: slots.waiting == 1)
        with pytest.raises(Busy) as caught:
            await hold(slots, "urgent", [], gate)
        gate.set()
    assert caught.value.retry_after_s >= 1.0


async def test_one_that_gives_up_waiting_leaves_no_hole():
    slots, order, gate = Slots(1, 10), [], asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hold(slots, "normal", order, gate))
        quitter = tasks.create_task(hold(slots, "urgent", order, gate))
        await until(lambda: slots.waiting == 1)
        tasks.create_task(hold(slots, "low", order, gate))
        await until(lambda: slots.waiting == 2)
        quitter.cancel()
        gate.set()
    assert order == ["normal", "low"]
    assert (slots.busy, slots.waiting) == (0, 0)


async def test_a_place_given_to_one_that_was_just_cancelled_goes_on_to_the_next():
    slots, order, gate = Slots(1, 10), [], asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hold(slots, "normal", order, gate))
        late = tasks.create_task(hold(slots, "urgent", order, gate))
        await until(lambda: slots.waiting == 1)
        tasks.create_task(hold(slots, "low", order, gate))
        await until(lambda: slots.waiting == 2)
        gate.set()
        await asyncio.sleep(0)
        late.cancel()
    assert slots.busy == 0
    assert order[-1] == "low"
