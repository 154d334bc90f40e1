import asyncio

import pytest

from shared.errors import SovereignError, Unavailable
from shared.events import SearchAsk, SearchReply, TaskRequest
from shared.load import Load, leaning, leant
from tests.shared.test_rpc import answering, ask


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_asking_another_service_is_no_time_of_its_own(bus):
    async with answering(bus) as endpoints:
        spent = []

        async def slow(asked: SearchAsk) -> SearchReply:
            await asyncio.sleep(0.2)
            return SearchReply(hits=())

        async def leans(asked: SearchAsk) -> SearchReply:
            found = await bus.request("sample.slow", asked, SearchReply)
            await bus.publish("task.request.low", TaskRequest(title="x"), "m1")
            spent.append(leant().seconds)
            return found

        await endpoints.answer("sample.slow", SearchAsk, slow)
        await endpoints.answer("sample.leans", SearchAsk, leans)
        await bus.request("sample.leans", ask(), SearchReply)
        assert spent[0] >= 0.2


def test_what_a_request_takes_without_the_waits_is_its_own_time():
    clock = Clock()
    load = Load(clock)
    with load.one_request():
        clock.now += 0.5
        with leaning():
            clock.now += 30.0
        clock.now += 0.25
    assert (load.requests, load.busy_s) == (1, 0.75)


def test_waits_within_waits_are_one_wait():
    clock = Clock()
    load = Load(clock)
    with load.one_request():
        with leaning(), leaning():
            clock.now += 30.0
        clock.now += 1.0
    assert load.busy_s == 1.0


def test_a_request_that_fails_is_counted_and_ends_its_wait():
    clock = Clock()
    load = Load(clock)
    with pytest.raises(Unavailable), load.one_request(), leaning():
        clock.now += 30.0
        raise Unavailable("gone")
    load.failed(Unavailable("gone"))
    load.failed(SovereignError("own"))
    assert (load.busy_s, load.upstream_faults, load.faults) == (0.0, 1, 1)


def test_outside_of_a_request_a_wait_is_nobodys():
    with leaning():
        assert leant() is None
