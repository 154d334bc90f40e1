"""Which host a request is given, by hosts whose figures are set by hand."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from services.router.pool.energy import Meter
from services.router.pool.host import Host
from services.router.pool.places import Places, Want
from shared.errors import Busy, EngineFailed, InvalidInput, Unavailable
from shared.events import EngineStatus
from tests.router.conftest import until


class Catalogue:
    def __init__(self, held: tuple[str, ...]) -> None:
        self.held = held

    def find(self, name: str) -> str | None:
        return name if name in self.held else None


class Engine:
    url = "http://somewhere"

    def __init__(self, held: tuple[str, ...]) -> None:
        self.catalogue = Catalogue(held)


def host(name: str, seconds: float | None = None, held=("m",), loaded=True, **fields) -> Host:
    made = Host(name, Engine(held), **{"slots": 1, "weight": 1.0} | fields, meter=Meter(None, None))
    made.status = EngineStatus(engine="ollama", setting="auto", state="ready", is_llm=True)
    made.loaded = frozenset({"m:latest"} if loaded else ())
    if seconds is not None:
        made.speed.took("m", seconds)
    return made


async def chosen(hosts: list[Host], count: int = 1, **want) -> list[str]:
    """Return the hosts that so many requests get, each kept until all have one."""
    places = Places(hosts, 10)
    async with AsyncExitStack() as stack:
        held = [
            await stack.enter_async_context(places.hold(Want("m", **want))) for _ in range(count)
        ]
        return [one.host.name for one in held]


async def test_the_fastest_comes_first_and_load_counts():
    hosts = [host("slow", 3.0, slots=9), host("fast", 1.0, slots=9)]
    assert await chosen(hosts, 4) == ["fast", "fast", "slow", "fast"]


async def test_twice_the_weight_is_twice_the_work():
    hosts = [host("one", 1.0, slots=9), host("two", 1.0, slots=9, weight=2.0)]
    assert (await chosen(hosts, 6)).count("two") == 4


async def test_a_host_with_the_model_in_memory_goes_first():
    hosts = [host("cold", 1.0, slots=3, loaded=False), host("warm", 1.0, slots=3)]
    assert await chosen(hosts, 3) == ["warm"] * 3


async def test_a_host_without_the_model_gets_nothing_while_another_has_it():
    assert await chosen([host("other", held=("x",)), host("right", 9.0)]) == ["right"]
    assert await chosen([host("none", held=())]) == ["none"]


async def test_places_are_counted_by_model_as_ollama_does():
    places = Places([host("only", held=("m", "n"))], 10)
    async with places.hold(Want("m")), places.hold(Want("n")):
        assert places.hosts[0].busy == 2


async def test_a_host_that_was_refused_by_its_circuit_or_by_the_probe_is_left_alone():
    bad, down, good = host("bad", 0.1), host("down", 0.1), host("good", 5.0)
    bad.begin("m")
    bad.leave("m")
    bad.failed(Unavailable("gone"))
    down.status = down.status.model_copy(update={"state": "absent"})
    assert await chosen([bad, down, good]) == ["good"]


async def test_the_last_host_is_asked_although_its_circuit_is_open():
    only = host("only")
    for _ in range(3):
        only.failed(EngineFailed("crash"))
    assert only.circuit.state == "open"
    assert await chosen([only]) == ["only"]


def test_only_the_hosts_own_faults_count_against_it():
    sound = host("sound")
    for _ in range(9):
        sound.failed(InvalidInput("yours"))
        sound.failed(Busy("later"))
    assert (sound.circuit.state, sound.failures) == ("closed", 0)


async def test_one_waits_for_the_fast_host_rather_than_take_the_slow_one():
    fast, slow = host("fast", 0.1), host("slow", 50.0)
    places = Places([fast, slow], 10)
    async with AsyncExitStack() as stack:
        async with places.hold(Want("m")):
            waiting = asyncio.create_task(stack.enter_async_context(places.hold(Want("m"))))
            await until(lambda: places.waiting == 1)
        assert (await waiting).host.name == "fast"


async def test_a_long_line_uses_the_slow_host_too():
    fast, slow = host("fast", 1.0), host("slow", 5.0)
    places = Places([fast, slow], 100)
    async with AsyncExitStack() as stack:
        tasks = [
            asyncio.create_task(stack.enter_async_context(places.hold(Want("m"))))
            for _ in range(12)
        ]
        await until(lambda: slow.busy == 1)
        assert fast.busy == 1
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert (fast.busy, slow.busy, places.waiting) == (0, 0, 0)


async def test_a_host_that_fell_silent_is_not_waited_for():
    fast, slow = host("fast", 0.02), host("slow", 0.4)
    places = Places([fast, slow], 10)
    async with places.hold(Want("m")), places.hold(Want("m")) as second:
        assert second.host.name == "slow"


async def test_a_full_queue_says_busy_and_when_to_come_back():
    places = Places([host("only")], 0)
    async with places.hold(Want("m")):
        with pytest.raises(Busy) as caught:
            await places.hold(Want("m")).__aenter__()
    assert caught.value.retry_after_s >= 1.0


async def test_urgent_ones_overtake_and_another_model_does_not_wait_with_them():
    places, order = Places([host("only", held=("m", "n"))], 10), []

    async def one(model: str, priority: str) -> None:
        async with places.hold(Want(model, priority)):
            order.append(priority)

    async with asyncio.TaskGroup() as tasks, places.hold(Want("m")):
        for priority in ("low", "normal", "urgent"):
            tasks.create_task(one("m", priority))
        await until(lambda: places.waiting == 3)
        await one("n", "high")
    assert order == ["high", "urgent", "normal", "low"]
