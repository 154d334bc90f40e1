"""The tools about sessions, on the real service without its process."""

from contextlib import asynccontextmanager

import anyio
from mcp import Client

from cli.mcp_server.line import Line
from cli.mcp_server.server import build
from shared import rpc
from shared.events import SearchAsk, SessionAppend, SessionAsk
from tests.sessions.conftest import opened


@asynccontextmanager
async def client(settings, bus):
    """A client of the tools, with a service that answers them."""
    path = settings.data_dir / "index.db"
    async with opened(bus, path) as room, anyio.create_task_group() as tasks:
        doors = await rpc.register(bus, "sessions", "1.0.0", {}, tasks)
        await doors.answer("session.search", SearchAsk, room.handlers.search)
        await doors.answer("session.append", SessionAppend, room.handlers.append)
        await doors.answer("session.handoff", SessionAsk, room.handlers.handoff)
        await bus.nc.flush()
        async with Line(settings) as line, Client(build(line)) as one:
            yield one
        await doors.stop()


async def test_what_is_appended_is_found_and_handed_over(settings, bus):
    async with client(settings, bus) as one:
        fact = {"session": "move", "title": "Keep PostgreSQL", "kind": "decision",
                "data": {"why": "the team knows it"}, "event_id": "d1"}  # fmt: skip
        assert (await one.call_tool("append", fact)).structured_content["seq"] == 1
        assert (await one.call_tool("append", fact)).structured_content["duplicate"] is True
        found = await one.call_tool("search", {"query": "which database, postgresql?"})
        assert [hit["event_id"] for hit in found.structured_content["hits"]] == ["d1"]
        document = (await one.call_tool("handoff", {"session": "move"})).structured_content
        assert "Keep PostgreSQL" in document["markdown"]


async def test_what_cannot_be_is_told_in_one_line(settings, bus):
    async with client(settings, bus) as one:
        stale = {"session": "move", "title": "late", "expected_seq": 7}
        told = await one.call_tool("append", stale)
        assert (told.is_error, "stale_writer: expected_seq" in told.content[0].text) == (True, True)
        none = await one.call_tool("handoff", {"session": "nobody"})
        assert "not_found: no session nobody" in none.content[0].text
