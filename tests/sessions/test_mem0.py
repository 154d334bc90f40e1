"""Code as people write it for Mem0, on the real doors."""

import asyncio
import contextlib

import anyio
import pytest

from services.sessions.mem0 import AsyncMemoryClient, MemoryClient, session_of
from services.sessions.upkeep import Upkeep
from shared import rpc
from shared.errors import InvalidInput, NotFound
from shared.events import SearchAsk, SessionAppend, SessionAsk, SessionForget, SessionListAsk

TALK = [
    {"role": "user", "content": "I am allergic to nuts"},
    {"role": "assistant", "content": "I will remember that"},
]


@contextlib.asynccontextmanager
async def served(room):
    async with room() as one, anyio.create_task_group() as tasks:
        doors = await rpc.register(one.bus, "sessions", "1.0.0", {}, tasks)
        upkeep = Upkeep(one.bus, one.index, one.follower, one.journal)
        for subject, ask, handler in (
            ("append", SessionAppend, one.handlers.append),
            ("load", SessionAsk, one.handlers.load),
            ("search", SearchAsk, one.handlers.search),
            ("list", SessionListAsk, one.handlers.list),
            ("forget", SessionForget, upkeep.forget),
        ):
            await doors.answer(f"session.{subject}", ask, handler)
        await one.bus.nc.flush()
        yield
        await doors.stop()


@pytest.fixture
def client(room, settings):
    @contextlib.asynccontextmanager
    async def make():
        async with served(room), AsyncMemoryClient(settings) as memory:
            yield memory

    return make


def told(reply) -> list[str]:
    return [each["memory"] for each in reply["results"]]


async def test_what_was_added_is_found_by_its_user_alone(client):
    async with client() as memory:
        await memory.add(TALK, user_id="alex", metadata={"topic": "food"})
        await memory.add("I love nuts", user_id="bob")
        found = await memory.search("what about nuts?", filters={"user_id": "alex"})
        assert told(found) == ["I am allergic to nuts"]
        assert found["results"][0]["metadata"] == {"topic": "food"}
        assert found["results"][0]["user_id"] == "alex"
        assert told(await memory.get_all(user_id="bob")) == ["I love nuts"]


async def test_a_search_without_a_scope_is_refused(client):
    async with client() as memory:
        with pytest.raises(InvalidInput, match="user_id"):
            await memory.search("anything")


async def test_an_update_supersedes_and_keeps_the_history(client):
    async with client() as memory:
        (first,) = (await memory.add("I live in Rome", user_id="alex"))["results"]
        second = await memory.update(first["id"], "I live in Oslo")
        assert told(await memory.get_all(user_id="alex")) == ["I live in Oslo"]
        assert told(await memory.search("where do I live", user_id="alex")) == ["I live in Oslo"]
        history = [each["memory"] for each in await memory.history(second["id"])]
        assert history == ["I live in Rome", "I live in Oslo"]


async def test_a_deleted_memory_is_gone_with_all_its_wordings(client):
    async with client() as memory:
        (first,) = (await memory.add("I live in Rome", user_id="alex"))["results"]
        await memory.add("I like rain", user_id="alex")
        second = await memory.update(first["id"], "I live in Oslo")
        await memory.delete(second["id"])
        assert told(await memory.get_all(user_id="alex")) == ["I like rain"]
        with pytest.raises(NotFound):
            await memory.get(first["id"])


async def test_deleting_one_user_spares_the_others(client):
    async with client() as memory:
        await memory.add("mine", user_id="alex")
        await memory.add("yours", user_id="bob")
        assert (await memory.delete_all(user_id="alex"))["events"] == 1
        assert (await memory.delete_all(user_id="nobody"))["events"] == 0
        assert told(await memory.get_all(user_id="alex")) == []
        assert told(await memory.get_all(user_id="bob")) == ["yours"]


async def test_code_that_is_not_asynchronous_works_too(room, settings):
    def work():
        with MemoryClient(settings) as memory:
            memory.add("the keys are blue", agent_id="helper")
            return memory.search("keys", agent_id="helper")

    async with served(room):
        assert told(await asyncio.to_thread(work)) == ["the keys are blue"]


def test_scopes_never_meet():
    names = [{"user_id": "a b"}, {"user_id": "a-b"}, {"user_id": "a", "run_id": "b"},
             {"user_id": "a.b"}, {"agent_id": "a-b"}, {"user_id": "x" * 80}]  # fmt: skip
    assert len({session_of(name) for name in names}) == len(names)
    assert session_of({"AND": [{"user_id": "alex"}]}) == session_of({"user_id": "alex"})


def test_an_empty_namespace_is_never_taken_for_the_default(settings):
    with pytest.raises(InvalidInput, match="namespace"):
        AsyncMemoryClient(settings, "")
