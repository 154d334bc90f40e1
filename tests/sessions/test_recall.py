import pytest

from shared.errors import InvalidInput
from shared.events import SearchAsk


async def found(one, query, namespace="main", **more):
    reply = await one.handlers.search(SearchAsk(namespace=namespace, query=query, **more))
    return [hit.title for hit in reply.hits]


async def test_the_event_with_the_rare_word_comes_first(room):
    async with room() as one:
        for title in ("the bus is slow", "the bus lost a beat", "nothing here"):
            await one.add(title=title)
        assert (await found(one, "Why was a beat lost?"))[0] == "the bus lost a beat"


async def test_word_forms_are_one_word(room):
    async with room() as one:
        await one.add(title="Deploying dashboards")
        assert await found(one, "deploy the dashboard") == ["Deploying dashboards"]


async def test_no_search_leaves_its_namespace(room):
    async with room() as one:
        await one.add("a", title="secret dog", namespace="mine")
        await one.add("b", title="public dog", namespace="yours")
        assert await found(one, "dog secret", "yours") == ["public dog"]
        assert await found(one, "dog", "nobody") == []


async def test_a_namespace_left_out_is_refused():
    with pytest.raises(ValueError, match="namespace"):
        SearchAsk(query="dog")


SYNTAX = (
    '"', "a AND", "NEAR(", "text:dog", "dog*", "-dog", "(dog OR", "^dog", "'; DROP", "1_dog", "\x00"
)  # fmt: skip


@pytest.mark.parametrize("query", SYNTAX)
async def test_search_syntax_is_only_words(room, query):
    async with room() as one:
        await one.add(title="a dog")
        assert isinstance(await found(one, query), list)


async def test_a_neighbour_of_a_hit_is_no_hit_itself(room):
    async with room() as one:
        for title in ("Renew the domain", "Mollie, not PayPal", "Ask Bob"):
            await one.add(title=title)
        assert await found(one, "PayPal") == ["Mollie, not PayPal"]


async def test_what_stands_beside_a_hit_counts_for_it(room):
    async with room() as one:
        for title in ("The engine failed", "Goodbye", "Hello", "An engine", "Engine number three"):
            await one.add(title=title)
        hits = (await one.handlers.search(SearchAsk(namespace="main", query="engine"))).hits
        parts = {hit.title: hit.score_parts["neighbours"] for hit in hits}
        assert parts["An engine"] > 0 == parts["The engine failed"]


@pytest.mark.parametrize("query", ["grosse", "Größe", "GROSSE", "gro\u0308ße", "große"])
async def test_marks_and_sharp_s_make_no_other_word(room, query):
    async with room() as one:
        await one.add(title="Die Größe der Datei")
        assert await found(one, query) == ["Die Größe der Datei"]


async def test_a_named_actor_weighs_more(room):
    async with room() as one:
        await one.add("a", title="I like pears", actor="Ann Lee")
        await one.add("b", title="I like pears", actor="Bob")
        reply = await one.handlers.search(SearchAsk(namespace="main", query="does Ann like pears"))
        assert (reply.hits[0].actor, reply.hits[0].score_parts["actor"] > 0) == ("Ann Lee", True)


async def test_the_score_is_the_sum_of_its_parts(room):
    async with room() as one:
        for number in range(4):
            await one.add(title=f"pears {number}")
        hits = (await one.handlers.search(SearchAsk(namespace="main", query="pears"))).hits
        assert all(abs(hit.score - sum(hit.score_parts.values())) < 0.001 for hit in hits)


async def test_a_search_may_stay_in_one_session(room):
    async with room() as one:
        await one.add("a", title="pears here")
        await one.add("b", title="pears there")
        assert await found(one, "pears", session_id="b") == ["pears there"]


async def test_words_in_the_data_are_found(room):
    async with room() as one:
        data = {"why": "latency", "rejected": ["kubernetes"]}
        await one.add(kind="decision", title="Use one host", data=data)
        assert await found(one, "kubernetes") == ["Use one host"]


async def test_an_unknown_kind_is_refused(room):
    async with room() as one:
        with pytest.raises((ValueError, InvalidInput), match="kind"):
            await one.add(kind="gossip")
