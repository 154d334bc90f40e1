"""Requesters that vanish cost no slot; those that are there hear nothing but their answer."""

import asyncio

import pytest

from services.router import presence
from shared.bus import open_bus
from shared.events import ModelCancel
from tests.router.conftest import ask, chat, until


@pytest.fixture(autouse=True)
def often(monkeypatch, fake):
    """Words come so often that many fall into each answer."""
    monkeypatch.setattr(presence, "TICK_S", 0.01)
    fake.delay_s = 0.02


async def test_a_vanished_requester_frees_its_slot(bus, router, fake, settings):
    async with router():
        async with open_bus(settings, "test") as other:
            await chat(other, ask("hello"))
            held = asyncio.create_task(chat(other, ask(model="stall"), 60))
            await until(lambda: fake.stats.open_streams == 1)
            held.cancel()
        await until(lambda: fake.stats.open_streams == 0)
        assert (await chat(bus, ask("hello"))).cache == "hit"


async def test_a_vanished_listener_frees_its_slot(bus, router, fake):
    async with router():
        inbox = await bus.nc.subscribe(bus.nc.new_inbox())
        request = ask(model="slow-load", stream=True).model_dump_json().encode()
        await bus.nc.publish("model.chat", request, inbox.subject)
        await until(lambda: fake.stats.open_streams == 1)
        await inbox.unsubscribe()
        await until(lambda: fake.stats.open_streams == 0)


async def test_one_who_waits_is_left_alone_and_hears_the_answer_alone(bus, router, fake):
    async with router():
        replies = await asyncio.gather(*(chat(bus, ask(f"{n} ships"), 30) for n in range(3)))
    assert [f"{n} ships" in reply.content for n, reply in enumerate(replies)] == [True] * 3


async def test_a_requester_with_an_inbox_of_its_own_is_not_taken_for_gone(bus, router, fake):
    async with router():
        inbox = await bus.nc.subscribe("_INBOX.here.alone")
        for _ in range(2):
            request = ask("count", cache="off").model_dump_json().encode()
            await bus.nc.publish("model.chat", request, inbox.subject)
            assert b'"type":"final"' in (await inbox.next_msg(30)).data


async def test_a_silent_stream_says_that_it_is_still_here(bus, router, fake):
    async with router():
        inbox = await bus.nc.subscribe(bus.nc.new_inbox())
        request = ask(model="slow-load", stream=True, request_id="r").model_dump_json().encode()
        await bus.nc.publish("model.chat", request, inbox.subject)
        told = [(await inbox.next_msg(30)).data for _ in range(3)]
        await inbox.unsubscribe()
        await bus.emit("model.cancel", ModelCancel(request_id="r"))
        await until(lambda: fake.stats.open_streams == 0)
    assert [b'"delta":""' in data for data in told] == [True] * 3


async def test_after_a_reconnection_nobody_counts_as_gone_for_a_while(bus):
    watching = presence.Presence(bus.nc)
    assert watching._settled()
    bus.nc.stats["reconnects"] += 1
    assert [watching._settled(), watching._settled()] == [False, False]
