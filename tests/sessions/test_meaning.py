"""Search by meaning, with an embedder of three meanings behind `model.embed`."""

import contextlib

import pytest

from services.sessions.app import _forgetting
from services.sessions.meaning import Meaning
from services.sessions.recall import search
from services.sessions.upkeep import Upkeep
from services.sessions.vectors import VectorFile, key_of
from shared.bus import decode, encode
from shared.errors import NeedsModel
from shared.events import EmbedReply, EmbedRequest, LeaseAsk, SearchAsk, SessionForget

MEANINGS = (("car", "vehicle", "drive"), ("pear", "apple", "fruit"), ("rain", "sun"))


def vector(text):
    found = [float(any(word in text for word in words)) for words in MEANINGS]
    length = sum(found) ** 0.5 or 1.0
    return [part / length for part in found] + [0.1]


@contextlib.asynccontextmanager
async def embedder(bus, name="tiny"):
    """Answer `model.embed`; yields the texts that were asked for."""
    asked = []

    async def answer(message):
        ask = decode(message.data, EmbedRequest)
        asked.extend(ask.input)
        rows = [vector(text) for text in ask.input]
        await message.respond(encode(EmbedReply(model=name, engine="test", embeddings=rows)))

    subscription = await bus.nc.subscribe("model.embed", cb=answer)
    yield asked
    await subscription.unsubscribe()


@pytest.fixture
def file(tmp_path):
    made = VectorFile(tmp_path / "vectors.db")
    yield made
    made.close()


async def filled(one):
    titles = ("my vehicle broke", "apple pie", "it will rain", *("hello",) * 5)
    for number, title in enumerate(titles):
        await one.add(f"s{number}", title=title, event_id=f"e{number}")


async def found(one, meaning, query):
    near = await meaning.near("main", query)
    reply = await search(one.index, SearchAsk(namespace="main", query=query), near)
    return [hit.event_id for hit in reply.hits], reply


async def test_what_means_the_same_is_found_without_a_common_word(room, file):
    async with room() as one, embedder(one.bus):
        await filled(one)
        meaning = Meaning(one.bus, one.index, file)
        await meaning.catch_up()
        ids, reply = await found(one, meaning, "drive a car")
        assert (ids[0], reply.ways) == ("e0", ("words", "vectors"))
        parts = reply.hits[0].score_parts
        assert parts["vectors"] > 0
        assert abs(sum(parts.values()) - reply.hits[0].score) < 0.001


async def test_vectors_of_events_are_kept_where_they_can_be_erased_alone(room, file):
    async with room() as one, embedder(one.bus):
        watched = await one.bus.nc.subscribe("model.embed")
        await filled(one)
        await Meaning(one.bus, one.index, file).catch_up()
        first, *more = [decode((await watched.next_msg(30)).data, EmbedRequest) for _ in range(2)]
    assert {(ask.cache, ask.source) for ask in (first, *more)} == {("off", "sessions")}


async def test_without_a_model_words_are_enough(room, file):
    async with room() as one:
        await filled(one)
        meaning = Meaning(one.bus, one.index, file)
        with pytest.raises(Exception, match=r"nobody answers on model\.embed"):
            await meaning.catch_up()
        ids, reply = await found(one, meaning, "the pie")
        assert (ids, reply.ways) == (["e1"], ("words",))


async def test_a_refusal_of_the_offline_engine_is_no_failure(room, file):
    async with room() as one:
        await filled(one)
        async with embedder(one.bus):
            meaning = Meaning(one.bus, one.index, file)
            await meaning.catch_up()

        async def refuse(message):
            await message.respond(b'{"error":{"code":"needs_model","message":"none"}}')

        await one.bus.nc.subscribe("model.embed", cb=refuse)
        with pytest.raises(NeedsModel):
            await meaning._ask(["x"], 5.0)
        assert (await found(one, meaning, "the pie"))[0] == ["e1"]


async def test_vectors_are_paid_for_once(room, file):
    async with room() as one, embedder(one.bus) as asked:
        await filled(one)
        await Meaning(one.bus, one.index, file).catch_up()
        paid = len(asked)
        await one.follower.rebuild()
        again = Meaning(one.bus, one.index, file)
        await again.catch_up()
        assert len(asked) == paid + 1  # one, to hear which model it is
        assert (await found(one, again, "drive a car"))[0][0] == "e0"


async def test_another_model_begins_anew(room, file):
    async with room() as one:
        await filled(one)
        meaning = Meaning(one.bus, one.index, file)
        async with embedder(one.bus, "first"):
            await meaning.catch_up()
        async with embedder(one.bus, "second"):
            assert (await found(one, meaning, "the pie"))[1].ways == ("words",)
            await meaning.catch_up()
            assert (await found(one, meaning, "fruit"))[0][0] == "e1"


async def test_what_was_forgotten_leaves_no_vector(room, file):
    async with room() as one, embedder(one.bus):
        await filled(one)
        meaning = Meaning(one.bus, one.index, file)
        await meaning.catch_up()
        key = key_of("somebody: my vehicle broke")
        assert file.known("tiny", [key])
        await one.life.lease(LeaseAsk(namespace="main", session_id="s0", holder="Ann"))
        told = _forgetting(one.leases, meaning)
        upkeep = Upkeep(one.bus, one.index, one.follower, one.journal, told)
        await upkeep.forget(SessionForget(namespace="main", session_id="s0"))
        assert (await one.leases._stored("s0"))[1].holder == "-"
        assert not file.known("tiny", [key])
        await meaning.catch_up()
        assert "e0" not in (await found(one, meaning, "drive a car"))[0]


def test_a_damaged_file_of_vectors_is_made_anew(tmp_path):
    path = tmp_path / "vectors.db"
    path.write_bytes(b"rubbish" * 1000)
    file = VectorFile(path)
    file.keep("m", {b"k": b"v"})
    assert file.known("m", [b"k"]) == {b"k": b"v"}
    file.close()


async def test_what_comes_in_while_others_are_embedded_gets_a_vector_too(room, file):
    async with room() as one, embedder(one.bus):
        await filled(one)
        meaning = Meaning(one.bus, one.index, file)
        embed = meaning._take

        async def crowded(rows):
            meaning._take = embed
            await one.add("late", title="a fruit", event_id="late")
            await embed(rows)

        meaning._take = crowded
        await meaning.catch_up()
        assert meaning._spaces["main"].seqs == list(range(1, 10))


async def test_vectors_of_another_length_leave_the_search_to_words(room, file):
    async with room() as one, embedder(one.bus):
        await filled(one)
        meaning = Meaning(one.bus, one.index, file)
        await meaning.catch_up()
        meaning._spaces["main"].add(99, vector("pear")[:2])
        assert (await found(one, meaning, "the pie"))[0] == ["e1"]
