import asyncio

import anyio
import pytest

from services.router.budgets.bill import Bill, free
from services.router.engine import Answer
from services.router.flights import Flights
from shared.errors import EngineFailed
from tests.router.conftest import until


class Upstream:
    """Tells two pieces, the second when the gate opens; counts how often it was asked."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked = 0
        self.cancelled = 0
        self.gate = asyncio.Event()
        self.error = error

    async def start(self, tell, tab) -> Answer:
        self.asked += 1
        tab.bill = booked()
        try:
            if tell:
                await tell("one ")
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error:
            raise self.error
        if tell:
            await tell("two")
        return Answer(content="one two", model="m")


def booked() -> Bill:
    """Return a bill on which something stands."""
    bill = free()
    bill.paid(Answer(content="x", model="m", completion_tokens=1))
    return bill


def hearing():
    heard = []

    async def hear(delta: str) -> None:
        heard.append(delta)

    return heard, hear


async def test_identical_requests_share_one_flight():
    upstream = Upstream()
    async with anyio.create_task_group() as tasks:
        flights = Flights(tasks)
        rides = [asyncio.create_task(flights.ride("k", upstream.start, None)) for _ in range(100)]
        await asyncio.sleep(0)
        upstream.gate.set()
        answers = await asyncio.gather(*rides)
    assert upstream.asked == 1
    assert {answer.content for answer in answers} == {"one two"}
    assert "k" not in flights


async def test_one_who_joins_late_hears_everything():
    upstream, (first, hear_first), (second, hear_second) = Upstream(), hearing(), hearing()
    async with anyio.create_task_group() as tasks:
        flights = Flights(tasks)
        lead = asyncio.create_task(flights.ride("k", upstream.start, hear_first))
        await until(lambda: first)
        follow = asyncio.create_task(flights.ride("k", upstream.start, hear_second))
        await asyncio.sleep(0)
        upstream.gate.set()
        await asyncio.gather(lead, follow)
    assert first == second == ["one ", "two"]


async def test_a_listener_on_a_silent_flight_hears_it_whole():
    upstream, (heard, hear) = Upstream(), hearing()
    async with anyio.create_task_group() as tasks:
        flights = Flights(tasks)
        lead = asyncio.create_task(flights.ride("k", upstream.start, None))
        await asyncio.sleep(0)
        follow = asyncio.create_task(flights.ride("k", upstream.start, hear))
        await asyncio.sleep(0)
        upstream.gate.set()
        await asyncio.gather(lead, follow)
    assert heard == ["one two"]


async def test_the_first_may_leave_and_the_others_fly_on():
    upstream = Upstream()
    async with anyio.create_task_group() as tasks:
        flights = Flights(tasks)
        lead = asyncio.create_task(flights.ride("k", upstream.start, None))
        follow = asyncio.create_task(flights.ride("k", upstream.start, None))
        await until(lambda: upstream.asked)
        lead.cancel()
        await asyncio.gather(lead, return_exceptions=True)
        upstream.gate.set()
        assert (await follow).content == "one two"
    assert (upstream.asked, upstream.cancelled) == (1, 0)


async def test_when_the_last_leaves_the_flight_ends():
    upstream = Upstream()
    async with anyio.create_task_group() as tasks:
        flights = Flights(tasks)
        rides = [asyncio.create_task(flights.ride("k", upstream.start, None)) for _ in range(2)]
        await until(lambda: upstream.asked)
        for ride in rides:
            ride.cancel()
        await asyncio.gather(*rides, return_exceptions=True)
        assert "k" not in flights
    assert upstream.cancelled == 1


async def test_all_riders_get_the_error_and_the_task_group_lives():
    upstream = Upstream(EngineFailed("crash"))
    async with anyio.create_task_group() as tasks:
        flights = Flights(tasks)
        rides = [asyncio.create_task(flights.ride("k", upstream.start, None)) for _ in range(3)]
        upstream.gate.set()
        outcomes = await asyncio.gather(*rides, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [EngineFailed] * 3
        with pytest.raises(EngineFailed):
            await flights.ride("k", upstream.start, None)


@pytest.mark.parametrize(("error", "leaving"), [(None, 1), (EngineFailed("crash"), 1), (None, 2)])
async def test_who_is_aboard_pays_whether_it_comes_fails_or_is_given_up(error, leaving):
    upstream, paid = Upstream(error), []
    async with anyio.create_task_group() as tasks:
        flights = Flights(tasks)
        pays = [lambda _, n=n: paid.append(n) for n in range(2)]
        rides = [asyncio.create_task(flights.ride("k", upstream.start, None, pay)) for pay in pays]
        await until(lambda: upstream.asked)
        for ride in rides[:leaving]:
            ride.cancel()
            await asyncio.gather(ride, return_exceptions=True)
        upstream.gate.set()
        await asyncio.gather(*rides, return_exceptions=True)
    assert paid == [1]


async def test_the_last_one_has_left_only_when_the_bill_is_known():
    order, sent = [], asyncio.Event()

    async def start(tell, tab) -> Answer:
        tab.bill = booked()
        sent.set()
        try:
            await asyncio.Event().wait()
        finally:
            order.append("ended")

    async with anyio.create_task_group() as tasks:
        flights = Flights(tasks)
        pay = lambda tab: order.append(type(tab.bill).__name__)  # noqa: E731
        ride = asyncio.create_task(flights.ride("k", start, None, pay))
        await sent.wait()
        ride.cancel()
        await asyncio.gather(ride, return_exceptions=True)
        order.append("left")
    assert order == ["ended", "Bill", "left"]


async def test_nobody_pays_for_what_failed_before_it_cost_anything():
    paid = []

    async def start(tell, tab) -> Answer:
        raise EngineFailed("away")

    async with anyio.create_task_group() as tasks:
        with pytest.raises(EngineFailed):
            await Flights(tasks).ride("k", start, None, paid.append)
    assert paid == []
