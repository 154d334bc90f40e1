"""Room for large bodies."""

import asyncio

from services.router.door.hall import SMALL, Hall


class Guest:
    """Somebody with a large body, who stays inside until told to leave."""

    def __init__(self, hall: Hall, size: int) -> None:
        self.inside = False
        self.leave = asyncio.Event()
        self.task = asyncio.create_task(self._visit(hall, size * SMALL))

    async def _visit(self, hall: Hall, size: int) -> None:
        async with hall.hold(size):
            self.inside = True
            await self.leave.wait()

    async def goes(self) -> None:
        self.leave.set()
        await self.task


async def guests(hall: Hall, *sizes: int) -> list[Guest]:
    found = [Guest(hall, size) for size in sizes]
    await asyncio.sleep(0)
    return found


async def end(*ones: Guest) -> None:
    for one in ones:
        one.task.cancel()
    await asyncio.gather(*(one.task for one in ones), return_exceptions=True)


async def test_large_bodies_wait_in_line_for_room():
    first, second, third = await guests(Hall(4 * SMALL), 3, 3, 1)
    assert (first.inside, second.inside, third.inside) == (True, False, False)
    await first.goes()
    await asyncio.sleep(0)
    assert (second.inside, third.inside) == (True, True)
    await end(second, third)


async def test_small_ones_never_wait_and_a_giant_comes_in_alone():
    hall = Hall(4 * SMALL)
    giant, next_one = await guests(hall, 9, 1)
    async with hall.hold(SMALL - 1):
        assert (giant.inside, next_one.inside) == (True, False)
    await giant.goes()
    await asyncio.sleep(0)
    assert next_one.inside
    await end(next_one)


async def test_who_gives_up_leaves_no_gap():
    hall = Hall(4 * SMALL)
    first, second, third = await guests(hall, 3, 3, 1)
    await end(second)
    assert third.inside
    await end(first, third)
    (last,) = await guests(hall, 4)
    assert last.inside
    await end(last)
