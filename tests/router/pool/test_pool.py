"""A router with several real (fake) Ollama servers."""

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal

import pytest

from services.router.pool.engine import PoolEngine
from shared.errors import EngineFailed, InvalidSetting, NotFound
from shared.events import (
    ChatReply,
    EmbedReply,
    EmbedRequest,
    Empty,
    EngineStatus,
    HostList,
    PullAsk,
    PullProgress,
)
from shared.settings import OllamaHost, RouterSettings, Settings, load
from tests.fakes.ollama import FakeOllama
from tests.router.conftest import ask, chat


@asynccontextmanager
async def two():
    async with FakeOllama() as first, FakeOllama() as second:
        yield first, second


def hosts(*fakes, **fields) -> tuple[OllamaHost, ...]:
    return tuple(OllamaHost(url=one.url, name=f"gpu{n}", **fields) for n, one in enumerate(fakes))


async def infos(bus):
    told = await bus.request("model.hosts", Empty(), HostList)
    return {host.name: host for host in told.hosts}


async def answers(bus, count: int) -> list[ChatReply]:
    return [await chat(bus, ask(f"question {n}"), 10.0) for n in range(count)]


async def test_a_host_that_crashes_is_replaced_and_then_left_alone(bus, router):
    async with two() as (bad, good), router(ollama_hosts=hosts(bad, good)):
        bad.fault = "crash"
        replies = await answers(bus, 8)
        told = await infos(bus)
    assert {reply.host for reply in replies} == {"gpu1"}
    assert told["gpu0"].failures >= 1
    assert (told["gpu1"].calls, told["gpu1"].failures) == (8, 0)
    assert bad.stats.chats == told["gpu0"].calls < 8


async def test_a_host_that_goes_away_is_noticed_and_comes_back(bus, router):
    async with AsyncExitStack() as stack:
        first = FakeOllama()
        await first.__aenter__()
        second = await stack.enter_async_context(FakeOllama())
        await stack.enter_async_context(router(ollama_hosts=hosts(first, second)))
        await first.__aexit__()
        assert {reply.host for reply in await answers(bus, 3)} == {"gpu1"}
        status = await bus.request("model.status", Empty(), EngineStatus)
        while "gpu0" not in status.detail:
            status = await bus.request("model.status", Empty(), EngineStatus)
        assert status.state == "ready"
        await stack.enter_async_context(first)
        while (await infos(bus))["gpu0"].state != "ready":
            pass


async def test_nothing_is_asked_twice_once_the_caller_has_seen_a_word(bus, router):
    async with two() as (one, other), router(ollama_hosts=hosts(one, other)):
        one.fault = other.fault = "mid"
        inbox = await bus.nc.subscribe(bus.nc.new_inbox())
        request = ask("tell", stream=True).model_dump_json().encode()
        await bus.nc.publish("model.chat", request, inbox.subject)
        while b'"error"' not in (await inbox.next_msg(5)).data:
            pass
        assert one.stats.chats + other.stats.chats == 1
        with pytest.raises(EngineFailed):
            await chat(bus, ask("not streamed"), 10.0)
        assert min(one.stats.chats, other.stats.chats) >= 1


async def test_both_hosts_work_at_the_same_time_and_the_beat_says_so(bus, router):
    async with two() as (one, other), router(ollama_hosts=hosts(one, other)) as service:
        one.delay_s = other.delay_s = 0.02
        many = [chat(bus, ask(f"n {n}"), 20.0) for n in range(6)]
        replies = await asyncio.gather(*many)
        info = service.heart.info()
    assert {reply.host for reply in replies} == {"gpu0", "gpu1"}
    assert (one.stats.most_open, other.stats.most_open) == (1, 1)
    assert info["slots"] == {"busy": 0, "count": 2, "waiting": 0}
    assert [host["name"] for host in info["hosts"]] == ["gpu0", "gpu1"]
    assert max(reply.times.queue_s for reply in replies) > 0


async def test_models_of_all_hosts_are_at_hand_and_a_pull_names_its_host(bus, router):
    async with two() as (one, other), router(ollama_hosts=hosts(one, other)):
        asked = PullAsk(model="small:1b", host="gpu1")
        last = await _pulled(bus, asked)
        assert last.type == "final"
        assert "small:1b" in other.models
        assert "small:1b" not in one.models
        assert (await chat(bus, ask(model="small:1b"))).host == "gpu1"
        with pytest.raises(NotFound, match="gpu0, gpu1"):
            await bus.request("model.pull", PullAsk(model="x", host="gpu7"), PullProgress)
        reply = await bus.request("model.embed", EmbedRequest(input=("a",)), EmbedReply)
        assert reply.model == "nomic-embed-text"


async def _pulled(bus, asked: PullAsk) -> PullProgress:
    inbox = await bus.nc.subscribe(bus.nc.new_inbox())
    await bus.nc.publish("model.pull", asked.model_dump_json().encode(), inbox.subject)
    while True:
        told = PullProgress.model_validate_json((await inbox.next_msg(5)).data)
        if told.type == "final":
            return told


async def test_a_model_that_was_just_removed_is_asked_of_another_host(bus, router):
    async with two() as (first, second), router(ollama_hosts=hosts(first, second), reprobe_s=60):
        first.models.clear()
        replies = await answers(bus, 4)
        told = await infos(bus)
    assert {reply.host for reply in replies} == {"gpu1"}
    assert told["gpu0"].calls >= 1


async def test_energy_is_the_cost_of_a_local_answer(bus, router):
    async with FakeOllama() as fake:
        pool = hosts(fake, watts=1000.0)
        async with router(ollama_hosts=pool, energy_usd_per_kwh=Decimal(10)):
            reply = await chat(bus, ask())
            kept = await chat(bus, ask())
    assert 0 < reply.cost_usd < Decimal("0.1")
    assert (kept.cache, kept.cost_usd) == ("hit", 0)


def test_hosts_are_urls_or_tables_and_wrong_ones_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOVEREIGN_ROUTER__OLLAMA_HOSTS", '["gpu1", {"url": "gpu2", "weight": 2}]')
    pool = load().ollama_pool
    assert [(one.url, one.weight) for one in pool] == [
        ("http://gpu1:11434", 1.0),
        ("http://gpu2:11434", 2.0),
    ]
    monkeypatch.setenv("SOVEREIGN_ROUTER__OLLAMA_HOSTS", '[{"url": "gpu2", "weight": 0}]')
    with pytest.raises(InvalidSetting, match=r"OLLAMA_HOSTS__0__WEIGHT"):
        load()


async def test_vectors_come_from_another_host_when_one_has_just_gone(bus, router):
    async with AsyncExitStack() as stack:
        first = FakeOllama()
        await first.__aenter__()
        second = await stack.enter_async_context(FakeOllama())
        await stack.enter_async_context(router(ollama_hosts=hosts(first, second), reprobe_s=60.0))
        await first.__aexit__()
        for text in ("x", "y"):
            await bus.request("model.embed", EmbedRequest(input=(text,)), EmbedReply, 5.0)
        told = await infos(bus)
    assert (told["gpu0"].failures, told["gpu1"].calls) == (1, 2)


@asynccontextmanager
async def silent():
    """Yield the address of a server that takes requests and never answers."""

    async def listen(reader, writer):
        await reader.read()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_slow_probes_of_a_host_at_work_do_not_take_it_down():
    async with silent() as url:
        pool = PoolEngine(
            Settings(host="here", router=RouterSettings(ollama_url=url, probe_s=0.02))
        )
        (host,) = pool.hosts
        host.status = (await pool.probe()).model_copy(update={"state": "ready"})
        host.heard = time.monotonic()
        host.begin("m")
        assert [(await pool.probe()).state for _ in range(3)] == ["ready"] * 3
        host.leave("m")
        assert [(await pool.probe()).state for _ in range(2)] == ["probing"] * 2
        assert not host.up
        await pool.close()


def test_a_host_at_work_that_was_not_heard_of_for_long_is_not_believed():
    (host,) = PoolEngine(Settings(host="here")).hosts
    host.status = EngineStatus(engine="ollama", setting="auto", state="ready", is_llm=True)
    host.begin("m")
    host.heard = time.monotonic() - 61
    assert not host.at_work(60)
    host.answered("m", 1.0, 0.0)
    assert host.at_work(60)
