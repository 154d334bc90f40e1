import asyncio
from contextlib import AsyncExitStack

import pytest

from shared.errors import BudgetExceeded, Cancelled
from shared.events import CacheEvent, ChatOptions, ChatReply, CostEvent
from tests.router.conftest import ask, chat, until


async def listening(bus, subject):
    heard = []

    async def hear(message):
        heard.append(message)

    await bus.nc.subscribe(subject, cb=hear)
    await bus.nc.flush()
    return heard


async def test_the_second_time_it_comes_from_the_cache(bus, router, fake):
    async with router():
        first, second = await chat(bus, ask("once")), await chat(bus, ask("once"))
    assert (first.cache, second.cache) == ("miss", "hit")
    assert second.content == first.content
    assert second.prompt_tokens == first.prompt_tokens
    assert fake.stats.chats == 1


async def test_a_hundred_identical_requests_in_flight_are_one_upstream(bus, router, fake):
    async with router():
        asked = [chat(bus, ask("same", model="slow"), 20) for _ in range(100)]
        replies: list[ChatReply] = await asyncio.gather(*asked)
    kinds = [reply.cache for reply in replies]
    assert (kinds.count("miss"), kinds.count("coalesced")) == (1, 99)
    assert fake.stats.chats == 1


async def test_what_varies_and_what_failed_is_never_kept(bus, router, fake):
    async with router():
        for _ in range(2):
            await chat(bus, ask("dice", options=ChatOptions(temperature=1.0)))
            await chat(bus, ask("private", cache="off"))
            await bus.nc.request("model.chat", ask(model="mid").model_dump_json().encode(), 5)
    assert fake.stats.chats == 2 + 2 + 4


async def test_a_stream_is_replayed_from_the_cache(bus, router):
    async with router():
        await chat(bus, ask("again"))
        inbox = await bus.nc.subscribe(bus.nc.new_inbox())
        data = ask("again", stream=True).model_dump_json().encode()
        await bus.nc.publish("model.chat", data, inbox.subject)
        chunk, final = await inbox.next_msg(5), await inbox.next_msg(5)
    assert b'"type":"chunk"' in chunk.data
    assert ChatReply.model_validate_json(final.data).cache == "hit"


async def test_tenants_share_nothing(bus, router, fake):
    async with router():
        await chat(bus, ask("secret", tenant="one"))
        assert (await chat(bus, ask("secret", tenant="two"))).cache == "miss"


async def test_a_newly_pulled_model_finds_no_old_answers(bus, router, fake):
    async with router():
        await chat(bus, ask("old"))
        fake.pulls += 1
        before = fake.stats.requests
        await until(lambda: fake.stats.requests >= before + 4)
        assert (await chat(bus, ask("old"))).cache == "miss"


async def test_the_cache_and_the_costs_are_told_on_the_bus(bus, router):
    caches, costs = await listening(bus, "cache.event.*"), await listening(bus, "cost.event")
    async with router():
        await chat(bus, ask("told", agent="builder", task_id="t1"))
        await chat(bus, ask("told"))
        await until(lambda: len(caches) == 3 and len(costs) == 2)
    assert [message.subject.split(".")[-1] for message in caches] == ["miss", "store", "hit"]
    assert CacheEvent.model_validate_json(caches[0].data).agent == "builder"
    fresh, kept = (CostEvent.model_validate_json(message.data) for message in costs)
    assert (fresh.task_id, fresh.cache, kept.cache) == ("t1", "miss", "hit")
    assert fresh.cost_usd == 0
    assert fresh.saved_usd == kept.saved_usd
    assert fresh.saved_usd > 0


async def test_who_flies_on_after_the_first_has_left_is_booked_with_the_cost(bus, router, fake):
    joined, costs = (
        await listening(bus, "cache.event.coalesced"),
        await listening(bus, "cost.event"),
    )
    async with router(), AsyncExitStack() as places:
        for _ in range(fake.parallel):
            await places.enter_async_context(fake.room)
        first = asyncio.create_task(chat(bus, ask("same", request_id="first"), 20))
        await until(lambda: fake.stats.chats == 1)
        second = asyncio.create_task(chat(bus, ask("same", request_id="second"), 20))
        await until(lambda: joined)
        await bus.nc.publish("model.cancel", b'{"request_id": "first"}')
        with pytest.raises(Cancelled):
            await first
        await places.aclose()
        reply = await second
        await until(lambda: len(costs) == 2)
    told = [CostEvent.model_validate_json(message.data) for message in costs]
    assert [(one.error, one.cache) for one in told] == [("cancelled", "miss"), (None, "miss")]
    assert (reply.cache, fake.stats.chats) == ("miss", 1)


async def test_who_rides_along_is_not_refused_by_the_budget_of_who_began(bus, router, fake):
    poor = ask("the same", task_id="poor", budget_tokens=1)
    async with router():
        asked = [chat(bus, request) for request in (poor, *[ask("the same")] * 20)]
        first, *others = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(first, BudgetExceeded)
    assert {other.content for other in others} == {others[0].content}
    assert fake.stats.chats == 1
