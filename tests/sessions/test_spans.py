"""Hits as spans, and the budget of a search."""

from shared.events import SearchAsk


async def looked(one, query, **more):
    return await one.handlers.search(SearchAsk(namespace="main", query=query, **more))


async def talk(one):
    for number, title in enumerate(("hello", "which pear?", "the green one", "goodbye")):
        await one.add(title=title, actor="ab"[number % 2], event_id=f"e{number}")


async def test_a_hit_comes_with_what_stands_beside_it(room):
    async with room() as one:
        await talk(one)
        (hit,) = (await looked(one, "pear", around=1)).hits
        assert [(line.step, line.event_id, line.title) for line in hit.around] == [
            (-1, "e0", "hello"), (1, "e2", "the green one"),
        ]  # fmt: skip


async def test_neighbours_never_come_from_another_session(room):
    async with room() as one:
        await one.add("a", title="pear")
        await one.add("b", title="hello")
        assert (await looked(one, "pear", around=5)).hits[0].around == ()


async def test_the_budget_is_kept_and_what_is_left_out_is_counted(room):
    async with room() as one:
        for number in range(12):
            await one.add(title=f"the pear number {number}", body="x" * 100)
        reply = await looked(one, "pear", tokens=100, limit=12)
        assert reply.tokens == sum(hit.tokens for hit in reply.hits) <= 100
        assert (len(reply.hits) + reply.left_out, reply.left_out > 0) == (12, True)


async def test_a_hit_loses_its_neighbours_before_it_is_left_out(room):
    async with room() as one:
        await one.add(title="y" * 400)
        await one.add(title="a pear")
        (hit,) = (await looked(one, "pear", around=2, tokens=60)).hits
        assert (hit.title, hit.around) == ("a pear", ())


async def test_without_a_model_the_words_alone_are_searched(room):
    async with room() as one:
        await talk(one)
        assert (await looked(one, "pear")).ways == ("words",)
