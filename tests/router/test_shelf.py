"""Answers shared over the bus."""

import asyncio

import pytest

from services.router.engine import Answer
from services.router.shelf import MOST_BYTES, Shelf
from shared.events import CacheEvent
from shared.streams import ANSWERS
from tests.router.conftest import ask, chat, until

ANSWER = Answer(content="ships", model="m", prompt_tokens=5, host="gpu1", tool_calls=({"id": "1"},))


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A slow machine is no fault here."""
    monkeypatch.setattr("services.router.shelf.WAIT_S", 30.0)


async def stored(bus, count: int) -> None:
    bucket = await bus.js.key_value(ANSWERS.name)
    while (await bucket.status()).values < count:
        pass


async def told(shelf: Shelf, bus, key: str) -> None:
    await bus.emit("cache.event.store", CacheEvent(kind="store", key=key))
    await until(lambda: key in shelf._known)


@pytest.fixture
async def shelf(bus):
    made = Shelf(bus, lambda: 60.0)
    await made.start()
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_one_router_kept_the_next_one_finds(bus, router, fake):
    async with router():
        first = await chat(bus, ask("count the ships"))
        await stored(bus, 1)
    async with router() as service:
        reply = await chat(bus, ask("count the ships"))
        again = await chat(bus, ask("count the ships"))
        assert service.settings.router.shared_cache
    assert (reply.content, reply.host, reply.cost_usd) == (first.content, first.host, 0)
    assert (reply.cache, again.cache) == ("hit", "hit")
    assert fake.stats.chats == 1


async def test_other_tenants_find_nothing_even_under_the_same_key(bus, shelf):
    shelf.keep("k", "one", ANSWER)
    await stored(bus, 1)
    await told(shelf, bus, "k")
    assert await shelf.get("k", "two") is None
    found = await shelf.get("k", "one")
    assert (found.answer.content, found.answer.tool_calls) == ("ships", ({"id": "1"},))
    assert 0 < found.left_s <= 60


async def test_keys_go_when_their_time_is_over(bus):
    short = Shelf(bus, lambda: 1.0)
    await short.start()
    task = asyncio.create_task(short.run())
    short.keep("k", "one", ANSWER)
    await told(short, bus, "k")
    while await short.get("k", "one") is None:
        pass
    while await short.get("k", "one") is not None:
        await bus.nc.flush()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_rubbish_in_the_bucket_is_no_answer(bus, shelf):
    bucket = await bus.js.key_value(ANSWERS.name)
    for n, value in enumerate((b"", b"garbage", b"[]", b'{"tenant": "one", "until": 9e12}')):
        await bucket.put(f"k{n}", value)
        await told(shelf, bus, f"k{n}")
        assert await shelf.get(f"k{n}", "one") is None


async def test_what_is_too_large_is_left_out(bus, shelf):
    shelf.keep("large", "one", Answer(content="x" * MOST_BYTES, model="m"))
    shelf.keep("small", "one", ANSWER)
    await stored(bus, 1)
    await told(shelf, bus, "large")
    assert await shelf.get("large", "one") is None


async def test_without_the_bucket_each_router_has_its_own_cache_still(bus, router, fake):
    await bus.js.delete_key_value(ANSWERS.name)
    async with router():
        assert (await chat(bus, ask("alone"))).cache == "miss"
        assert (await chat(bus, ask("alone"))).cache == "hit"
    assert fake.stats.chats == 1


async def test_the_owner_may_keep_answers_off_the_bus(bus, router, fake):
    for _ in range(2):
        async with router(shared_cache=False):
            await chat(bus, ask("private"))
    assert fake.stats.chats == 2


async def test_keys_of_vectors_are_none_of_answers(bus, shelf):
    await bus.emit("cache.event.store", CacheEvent(kind="store", key="vector", of="embed"))
    await told(shelf, bus, "answer")
    assert "vector" not in shelf._known
