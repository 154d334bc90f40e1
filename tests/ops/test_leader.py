from contextlib import asynccontextmanager

import anyio
import pytest

from services.ops.leader import KEY, Lease
from shared.bus import open_bus
from shared.streams import LEADER


@asynccontextmanager
async def candidate(settings, name: str, told: list | None = None):
    """A candidate that runs; cancelling its scope is a sudden death without farewell."""
    heard = told if told is not None else []
    async with open_bus(settings, f"ops-{name}") as bus, anyio.create_task_group() as tasks:
        lease = Lease(bus, f"here/{name}/boot", heard.append)
        tasks.start_soon(lease.run)
        yield lease
        tasks.cancel_scope.cancel()


async def until(condition) -> None:
    while not condition():  # noqa: ASYNC110 - nothing tells of it
        await anyio.sleep(0.01)


async def test_one_of_two_leads_and_the_other_knows_who(bus, settings):
    async with candidate(settings, "a") as first:
        await until(lambda: first.held)
        async with candidate(settings, "b") as second:
            await until(lambda: second.leader)
            assert second.leader == "here/a/boot"
            assert not second.held


async def test_a_lease_that_is_given_back_is_taken_at_once_with_a_higher_revision(bus, settings):
    async with candidate(settings, "b") as second:
        async with candidate(settings, "a") as first:
            await until(lambda: first.held or second.held)
            leader, other = (first, second) if first.held else (second, first)
            before = leader.revision
        if leader is first:
            with anyio.fail_after(2.0):
                await until(lambda: other.held)
            assert other.revision > before


async def test_a_leader_that_dies_is_followed_within_four_seconds(bus, settings):
    kv = await bus.js.key_value(LEADER.name)
    revision = await kv.create(KEY, b"here/dead/boot")
    async with candidate(settings, "b") as second:
        with anyio.fail_after(4.0):
            await until(lambda: second.held)
        assert second.revision > revision


async def test_a_leader_that_was_overtaken_steps_down(bus, settings):
    told: list[bool] = []
    async with candidate(settings, "a", told) as first:
        await until(lambda: first.held)
        kv = await bus.js.key_value(LEADER.name)
        await kv.put(KEY, b"here/usurper/boot")
        with anyio.fail_after(3.0):
            await until(lambda: not first.held)
        await until(lambda: first.leader == "here/usurper/boot")
    assert told[:2] == [True, False]


async def test_a_lease_is_not_held_while_the_server_is_away(bus, settings, nats_server):
    async with candidate(settings, "a") as first:
        await until(lambda: first.held)
        nats_server.kill()
        with anyio.fail_after(4.0):
            await until(lambda: not first.held)
        nats_server.start()
        with anyio.fail_after(8.0):
            await until(lambda: first.held)


@pytest.mark.parametrize("renewals", [3])
async def test_revisions_only_grow(bus, settings, renewals):
    async with candidate(settings, "a") as first:
        await until(lambda: first.held)
        seen = {first.revision}
        await until(lambda: seen.add(first.revision) or len(seen) > renewals)
    assert sorted(seen) == list(range(min(seen), min(seen) + renewals + 1))
