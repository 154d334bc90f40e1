import asyncio
import signal

from shared.errors import InvalidInput, NotFound
from shared.events import (
    Handoff,
    SearchAsk,
    SearchReply,
    SessionAppend,
    SessionAppended,
    SessionAsk,
    SessionList,
    SessionListAsk,
    SessionLoaded,
)
from tests.sessions.process import running


async def ask(bus, verb, body, reply):
    return await bus.request(f"session.{verb}", body, reply)


async def test_the_service_answers_over_the_bus_and_leaves_when_told(bus, settings):
    async with running(bus, settings) as process:
        told = SessionAppend(namespace="main", session_id="s", kind="note", title="hello world")
        appended = await ask(bus, "append", told, SessionAppended)
        place = SessionAsk(namespace="main", session_id="s")
        assert (await ask(bus, "load", place, SessionLoaded)).events[0].seq == appended.seq
        assert (await ask(bus, "list", SessionListAsk(namespace="main"), SessionList)).sessions
        asked = SearchAsk(namespace="main", query="hello")
        assert (await ask(bus, "search", asked, SearchReply)).hits[0].title == "hello world"
        assert "hello world" in (await ask(bus, "handoff", place, Handoff)).markdown
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_wrong_requests_get_typed_errors_over_the_bus(bus, settings):
    async with running(bus, settings):
        for body, kind in (
            (b'{"namespace":"main"}', InvalidInput),
            (b'{"session_id":"s"}', InvalidInput),
            (b'{"namespace":"main","session_id":"none"}', NotFound),
            (b"\xff", InvalidInput),
        ):
            answer = await bus.nc.request("session.load", body, timeout=5)
            assert kind.code.encode() in answer.data
