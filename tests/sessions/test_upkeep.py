import pytest

from services.sessions.upkeep import STREAM, Upkeep
from shared.errors import InvalidInput, NotFound
from shared.events import Empty, SearchAsk, SessionAsk, SessionForget, SessionListAsk
from shared.reading import read_subject


def upkeep(one) -> Upkeep:
    return Upkeep(one.bus, one.index, one.follower, one.journal)


async def found(one, query, namespace="main"):
    reply = await one.handlers.search(SearchAsk(namespace=namespace, query=query))
    return [hit.title for hit in reply.hits]


async def test_a_reindexed_service_answers_the_same(room):
    async with room() as one:
        for number in range(20):
            await one.add(f"s{number % 3}", title=f"the pear {number}", actor=f"a{number % 2}")
        ask = SearchAsk(namespace="main", query="pear 7 a1")
        before = await one.handlers.search(ask)
        done = await upkeep(one).reindex(Empty())
        assert (done.events, done.last_seq) == (20, 20)
        assert await one.handlers.search(ask) == before


async def test_writing_goes_on_while_the_index_is_built(room):
    async with room() as one:
        await one.add(title="before")
        await upkeep(one).reindex(Empty())
        assert (await one.add(title="after")).seq == one.index.last_seq == 2


async def test_a_forgotten_session_is_found_nowhere(room, nats_server, tmp_path):
    async with room() as one, room("other") as other:
        await one.add("gone", title="the zebracrossing plan", body="xylophone")
        await one.add("kept", title="the other plan")
        done = await upkeep(one).forget(SessionForget(namespace="main", session_id="gone"))
        assert (done.events, done.found_after, done.searched_words) == (1, 0, 4)
        assert await found(one, "zebracrossing xylophone plan") == ["the other plan"]
        await other.follower.wait_for(one.index.last_seq)
        assert await found(other, "zebracrossing") == []
    for path in (*tmp_path.glob("**/index.db*"), *nats_server.folder.glob("**/*.blk")):
        assert b"zebracrossing" not in path.read_bytes(), path


async def test_forgetting_outlives_a_reindex(room):
    async with room() as one:
        await one.add("gone", title="zebra")
        await upkeep(one).forget(SessionForget(namespace="main", session_id="gone"))
        await upkeep(one).reindex(Empty())
        events = (await one.handlers.load(SessionAsk(namespace="main", session_id="gone"))).events
        assert [event.kind for event in events] == ["session.forgotten"]


async def test_an_actor_is_forgotten_in_every_session_of_one_namespace_only(room):
    async with room() as one:
        for session in ("a", "b"):
            await one.add(session, title=f"ann in {session}", actor="ann")
            await one.add(session, title=f"bob in {session}", actor="bob")
        await one.add("c", title="ann elsewhere", actor="ann", namespace="other")
        done = await upkeep(one).forget(SessionForget(namespace="main", actor="ann"))
        assert (done.sessions, done.events) == (("a", "b"), 2)
        assert await found(one, "ann") == []
        assert sorted(await found(one, "bob")) == ["bob in a", "bob in b"]
        assert await found(one, "ann", "other") == ["ann elsewhere"]


async def test_a_namespace_is_forgotten_only_when_everything_is_said(room):
    async with room() as one:
        await one.add("a", title="one", namespace="mine")
        await one.add("b", title="two", namespace="mine")
        with pytest.raises(InvalidInput, match="everything"):
            await upkeep(one).forget(SessionForget(namespace="mine"))
        done = await upkeep(one).forget(SessionForget(namespace="mine", everything=True))
        assert done.events == 2


async def test_another_namespaces_session_cannot_be_forgotten(room):
    async with room() as one:
        await one.add("theirs", title="zebra", namespace="theirs")
        with pytest.raises(NotFound):
            await upkeep(one).forget(SessionForget(namespace="mine", session_id="theirs"))
        assert await found(one, "zebra", "theirs") == ["zebra"]


async def test_a_tombstone_cannot_be_appended_by_hand(room):
    async with room() as one:
        await one.add()
        with pytest.raises(InvalidInput, match="forgetting goes by"):
            await one.add(kind="session.forgotten", data={"all": True})


async def test_a_forgotten_actors_title_goes_too(room):
    async with room() as one:
        await one.add("s", "session.opened", title="zebra", actor="Ann")
        await one.add("s", title="kept", actor="Bob")
        await upkeep(one).forget(SessionForget(namespace="main", actor="Ann"))
        found = (await one.handlers.list(SessionListAsk(namespace="main"))).sessions
        assert [session.title for session in found] == ["s"]


class Crowded:
    """A journal to whose session somebody adds a word just before the tombstone."""

    def __init__(self, one):
        self._one = one

    async def record(self, tombstone):
        await self._one.add("gone", title="latecomer")
        return await self._one.journal.record(tombstone)


async def test_what_comes_in_while_a_session_is_forgotten_is_gone_too(room):
    async with room() as one:
        await one.add("gone", title="zebra")
        forgetting = Upkeep(one.bus, one.index, one.follower, Crowded(one))
        await forgetting.forget(SessionForget(namespace="main", session_id="gone"))
        left = await read_subject(one.bus, STREAM, "session.event.gone")
        assert [b"latecomer" in message.data for message in left] == [False]


async def whole(one) -> list[tuple]:
    told = "SELECT session_id, title, status, first_at, last_at, positions, last_seq FROM session"
    events = "SELECT seq, position, closed_by FROM event ORDER BY seq"
    return [tuple(row) for sql in (told, events)
            for row in await one.index.reader.execute_fetchall(sql)]  # fmt: skip


@pytest.mark.parametrize("actor", ["ann", "bob"])
async def test_after_a_forgetting_the_index_is_what_a_new_one_would_be(room, actor):
    async with room() as one:
        await one.add("s", "session.opened", "ann's", actor="ann")
        await one.add("s", "pending.add", "keys", actor="bob", event_id="keys")
        for closer in ("ann", "bob"):
            await one.add("s", "pending.done", "done", actor=closer, data={"pending": "keys"})
        await one.add("s", "session.closed", "end", actor="ann")
        await one.add("t", title="ann alone", actor="ann")
        await upkeep(one).forget(SessionForget(namespace="main", actor=actor))
        before = await whole(one)
        await upkeep(one).reindex(Empty())
        assert await whole(one) == before
