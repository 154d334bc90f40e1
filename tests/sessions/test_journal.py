import asyncio

import pytest

from shared.errors import Conflict, InvalidInput


async def test_an_append_is_answered_when_the_index_has_it(room):
    async with room() as one:
        answer = await one.add(title="first")
        assert one.index.last_seq == answer.seq


async def test_a_stale_writer_is_refused_and_nothing_is_stored(room):
    async with room() as one:
        first = await one.add(title="first", expected_seq=0)
        await one.add(title="second", expected_seq=first.seq)
        with pytest.raises(Conflict):
            await one.add(title="late", expected_seq=first.seq)
        assert (await one.bus.js.stream_info("SESSIONS")).state.messages == 2


async def test_the_fence_of_one_session_does_not_feel_another(room):
    async with room() as one:
        first = await one.add("a", expected_seq=0)
        await one.add("b", expected_seq=0)
        assert (await one.add("a", expected_seq=first.seq)).seq == 3


async def test_the_same_event_id_is_stored_once_even_after_the_servers_window(room):
    async with room() as one:
        first = await one.add(event_id="e1")
        await one.bus.js.purge_stream("SESSIONS", keep=1)
        again = await one.add(event_id="e1")
        assert (again.seq, again.duplicate) == (first.seq, True)


async def test_a_duplicate_with_a_stale_fence_is_still_the_same_event(room):
    async with room() as one:
        first = await one.add(event_id="e1", expected_seq=0)
        await one.add(title="another")
        assert (await one.add(event_id="e1", expected_seq=0)).seq == first.seq


async def test_an_event_id_never_stands_for_two_things(room):
    async with room() as one:
        await one.add(event_id="e1", title="one")
        with pytest.raises(Conflict, match="event_id e1"):
            await one.add(event_id="e1", title="two")


async def test_a_session_belongs_to_the_namespace_that_opened_it(room):
    async with room() as one:
        await one.add("s", namespace="mine")
        with pytest.raises(Conflict, match="taken"):
            await one.add("s", namespace="yours")


async def test_two_hosts_that_open_one_session_at_once_both_get_in(room):
    async with room("a") as one, room("b") as other:
        answers = await asyncio.gather(
            *(each.add("s", title=f"{n}") for n in range(5) for each in (one, other))
        )
        assert sorted(answer.seq for answer in answers) == list(range(1, 11))


async def test_two_namespaces_that_race_for_one_session_do_not_share_it(room):
    async with room("a") as one, room("b") as other:
        answers = await asyncio.gather(
            one.add("s", namespace="mine"),
            other.add("s", namespace="yours"),
            return_exceptions=True,
        )
        assert sorted(isinstance(answer, Conflict) for answer in answers) == [False, True]


async def test_what_one_host_writes_the_other_reads(room):
    async with room("a") as one, room("b") as other:
        answer = await one.add(title="told here")
        assert await other.follower.wait_for(answer.seq)


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        ("pending.add", {"priority": "soon"}, "data.priority"),
        ("learning", {"confidence": 2}, "data.confidence"),
        ("artifact", {}, "data.uri"),
        ("artifact", {"uri": "a", "sha256": "xyz"}, "data.sha256"),
        ("state.set", {"value": 1}, "data.key"),
        ("decision", {"rejected": "all"}, "data.rejected"),
        ("pending.done", {}, "data.pending"),
        ("pending.done", {"pending": "nothing"}, "data.pending"),
        ("note", {"blob": "x" * 1_100_000}, "data"),
    ],
)
async def test_data_that_does_not_fit_the_kind_is_refused_by_name(room, kind, data, field):
    async with room() as one:
        with pytest.raises(InvalidInput) as raised:
            await one.add(kind=kind, data=data)
        assert raised.value.field == field


async def test_only_what_exists_can_be_superseded(room):
    async with room() as one:
        await one.add(kind="decision", event_id="d1")
        await one.add(kind="decision", supersedes="d1")
        with pytest.raises(InvalidInput, match="supersedes"):
            await one.add(kind="decision", supersedes="d9")
