"""The bus as it is seen: streams, lag, single messages, dead letters handed in again."""

import orjson
import pytest
from nicegui.testing import user_simulation

from services.dashboard.pages import bus
from services.dashboard.streams import Letter, Streams, content
from shared import events as e
from shared.bus import encode
from shared.errors import Conflict, NotFound, Refused
from shared.reading import last_of

HOSTILE = '{"title": "<script>alert(1)</script>\x1b[31m"}'


async def bury(parts, payload=HOSTILE, subject="task.request.high", **more):
    reason = e.Reason(code="invalid_input", message="title: must not be empty", field="title")
    letter = e.DeadLetter(stream="TASKS", subject=subject, reason=reason, payload=payload, **more)
    ack = await parts.bus.publish("dead.TASKS", letter, f"d{subject}{payload[:20]}")
    return ack.seq


async def test_streams_and_lag_are_read_without_a_consumer_of_ours(parts):
    await parts.bus.js.publish("task.request.low", b'{"title": "a"}')
    before = (await parts.bus.js.stream_info("TASKS")).state
    streams = Streams(parts.bus)
    kept = {one.name: one for one in await streams.look()}
    queue = kept["TASKS"]
    assert (queue.kind, queue.messages) == ("queue", 1)
    assert next(one.waiting for one in queue.followers if one.name == "manager-low") == 1
    assert [one.data for one in await streams.messages(queue)] == [b'{"title": "a"}']
    after = (await parts.bus.js.stream_info("TASKS")).state
    assert (after.consumer_count, after.messages) == (before.consumer_count, before.messages)
    assert (kept["KV_tasks"].kind, kept["OBJ_artifacts"].kind) == ("bucket", "files")


async def test_a_dead_letter_is_handed_in_again_once(parts):
    seq = await bury(parts, "not json")
    streams = Streams(parts.bus)
    await streams.hand_in_again(seq, '{"title": "mended"}')
    with pytest.raises(Conflict):
        await streams.hand_in_again(seq, '{"title": "mended"}')
    stored = await last_of(parts.bus, "TASKS", "task.request.high")
    assert orjson.loads(stored.data)["title"] == "mended"


async def test_only_what_people_hand_in_can_be_handed_in_again(parts):
    step = await bury(parts, subject="task.step.builder.high")
    cut = await bury(parts, "x" * 500_000)
    streams = Streams(parts.bus)
    for seq in (step, cut):
        with pytest.raises(Refused):
            await streams.hand_in_again(seq)
    with pytest.raises(NotFound):
        await streams.hand_in_again(cut + 7)


def test_bytes_come_back_as_they_were():
    given = {
        "stream": "TASKS",
        "subject": "task.request.low",
        "reason": {"code": "a", "message": "b"},
    }
    letter = e.DeadLetter.model_validate({**given, "payload": "/w==", "payload_encoding": "base64"})
    assert content(letter) == b"\xff"
    assert Letter(1, letter).mendable


async def test_the_page_shows_hostile_letters_as_text(parts):
    await bury(parts)
    await parts.bus.js.publish("task.journal.t1", encode(e.TaskFinished(state="done")))
    async with user_simulation(root=lambda: bus.build(parts, "JOURNAL")) as user:
        html = (await user.http_client.get("/")).text
        await user.open("/")
        await user.should_see("JOURNAL: the newest")
        await user.should_see("task.journal.t1")
        await user.should_see("title: must not be empty")
    assert "<script>alert(1)" not in html


async def test_a_bus_that_is_away_is_said(busless):
    async with user_simulation(root=lambda: bus.build(busless, None)) as user:
        await user.open("/")
        await user.should_see("the bus is lost")
