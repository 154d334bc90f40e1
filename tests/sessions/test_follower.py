import asyncio
import sqlite3

import orjson
import pytest

from services.sessions.healing import healing
from shared import bootstrap
from shared.errors import Busy
from shared.events import SearchAsk
from shared.reading import last_of
from tests.sessions.conftest import opened


async def rows(index) -> list[tuple]:
    found = await index.reader.execute_fetchall(
        "SELECT seq, session, position, event_id FROM event"
    )
    return [tuple(row) for row in found]


async def test_a_new_instance_reads_all_that_was_written_before(room):
    async with room("a") as one:
        for number in range(3):
            await one.add(title=f"{number}")
        async with room("b") as other:
            assert await rows(other.index) == await rows(one.index)


async def test_an_instance_that_comes_back_goes_on_where_it_was(room):
    async with room() as one:
        await one.add(title="before")
    async with room("other") as one:
        last = await one.add(title="meanwhile")
    async with room() as one:
        assert one.index.last_seq == last.seq


async def test_a_damaged_file_is_set_aside_and_built_anew(bus, tmp_path, room):
    async with room() as one:
        await one.add(title="kept in the stream")
        before = await rows(one.index)
    path = tmp_path / "index" / "index.db"
    path.write_bytes(b"rubbish" * 1000)
    async with room() as one:
        assert await rows(one.index) == before
    assert [kept.name for kept in path.parent.glob("*.broken-*")] != []


async def test_an_index_of_another_stream_is_not_believed(bus, tmp_path, room):
    async with room() as one:
        await one.add(title="old world")
    await bus.js.delete_stream("SESSIONS")
    await bootstrap.ensure(bus)
    async with room() as one:
        assert (one.index.last_seq, await rows(one.index)) == (0, [])


async def test_what_is_no_event_goes_to_dead_and_stops_nobody(room):
    async with room() as one:
        await one.bus.js.publish("session.event.s", b"not json")
        await one.bus.js.publish("session.event.s", b'{"event_id":"e"}')
        last = await one.add("t", title="after it")
        assert one.index.last_seq == last.seq
        letter = orjson.loads((await last_of(one.bus, "DEAD", "dead.SESSIONS")).data)
        assert letter["seq"] == 2


async def test_a_rebuilt_index_is_the_same(room):
    async with room() as one:
        for number in range(5):
            await one.add(f"s{number % 2}", title=f"word{number}")
        before = await rows(one.index)
        await one.follower.rebuild()
        assert await rows(one.index) == before


async def test_two_instances_may_share_one_file(bus, tmp_path):
    path = tmp_path / "shared.db"
    async with opened(bus, path) as one, opened(bus, path) as other:
        for each in (one, other, one, other):
            answer = await each.add(title="told twice")
        for each in (one, other):
            assert await each.follower.wait_for(answer.seq)
        with sqlite3.connect(path) as file:
            assert file.execute("SELECT count(*) FROM event").fetchone() == (4,)
        file.close()


async def test_a_lost_server_is_caught_up_with(nats_server, room, monkeypatch):
    monkeypatch.setattr("services.sessions.follower.SILENCE_S", 0.5)
    async with room("a") as one, room("b") as other:
        await one.add(title="before")
        nats_server.kill()
        nats_server.start()
        answer = await one.add(title="after")
        assert await other.follower.wait_for(answer.seq, 20)


async def test_the_end_of_a_purged_stream_is_no_gap(room):
    async with room() as one:
        await one.add(title="gone soon")
        await one.bus.js.purge_stream("SESSIONS")
        await one.follower.rebuild()
        assert (await one.add(title="next", expected_seq=0)).seq == 2


class Away:
    """A bus whose streams are out of reach until `back` is set; all else is the real one."""

    def __init__(self, bus):
        self._bus, self.back = bus, asyncio.Event()

    def __getattr__(self, name):
        return getattr(self._bus, name)

    @property
    def js(self):
        return self._bus.js if self.back.is_set() else self

    async def stream_info(self, name):
        raise TimeoutError


async def test_a_build_that_failed_midway_is_made_up_for(room):
    async with room() as one:
        await one.add(title="kept in the stream")
        one.follower._bus = away = Away(one.bus)
        with pytest.raises(TimeoutError):
            await one.follower.rebuild()
        with pytest.raises(Busy):
            one.index.reader  # noqa: B018
        away.back.set()
        await one.follower.catch_up()
        assert [row[3] for row in await rows(one.index)] != []


async def test_half_an_index_answers_nobody(room):
    async with room() as one:
        await one.add(title="the pear")
        ask = SearchAsk(namespace="main", query="pear")

        async def look(_):
            if not one.index.building:
                return
            with pytest.raises(Busy):
                await one.handlers.search(ask)
            looking.append(asyncio.create_task(healing(one.follower, one.handlers.search)(ask)))
            await asyncio.sleep(0)

        looking, one.follower._take = [], _before(one.follower._take, look)
        await one.follower.rebuild()
        found = [await each for each in looking]
        assert [[hit.title for hit in reply.hits] for reply in found] == [["the pear"]]


def _before(then, first):
    async def act(messages):
        await first(messages)
        await then(messages)

    return act
