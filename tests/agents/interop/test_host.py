"""The crew as the protocol's own client from PyPI sees it."""

from contextlib import asynccontextmanager

import pytest
from synadia_ai.agents import (
    Agents,
    Attachment,
    DiscoverFilter,
    ProtocolError,
    ResponseChunk,
    StatusChunk,
)

from services.agents.interop.host import hosting
from shared.bus import open_bus
from tests.agents.harness import crew, entries, model, reply


@asynccontextmanager
async def caller(bus, settings):
    """The client on a connection of its own, beside a crew that it can find."""
    async with crew(bus, settings) as room, hosting(room), open_bus(settings, "test") as own:
        await bus.nc.flush()
        agents = Agents(nc=own.nc)
        yield agents
        await agents.close()


async def found(agents, session):
    return (await agents.discover(filter=DiscoverFilter(session_name=session)))[0]


async def said(stream):
    chunks = [chunk async for chunk in stream]
    words = [chunk.status for chunk in chunks if isinstance(chunk, StatusChunk)]
    return words, "".join(chunk.text for chunk in chunks if isinstance(chunk, ResponseChunk))


async def test_the_client_finds_the_crew_and_its_agents_and_is_answered(bus, settings):
    async with model(bus), caller(bus, settings) as agents:
        every = await agents.discover()
        names = {one.session_name for one in every}
        assert names == {
            "crew", "analyzer", "builder", "deployer", "optimizer", "strategist",
        }  # fmt: skip
        assert {one.agent for one in every} == {"sovereign"}
        builder = next(one for one in every if one.session_name == "builder")
        files = [Attachment.from_bytes("notes.txt", b"the notes")]
        words, text = await said(builder.prompt("Write it\nin one line", attachments=files))
        assert (words[0], text) == ("ack", "- builder did answer")
        task_id = words[1].removeprefix("task ")
        [queued, *_] = await entries(bus, task_id)
        assert (queued.request.agent, queued.request.title) == ("builder", "Write it")
        beat = await builder.status()
        assert (beat.session, beat.instance_id) == ("builder", builder.instance_id)


async def test_a_task_that_fails_is_an_error_of_the_stream_with_its_reason(bus, settings):
    async def answer(request):
        return {"error": {"code": "model_missing", "message": "no such model"}}

    async with model(bus, answer), caller(bus, settings) as agents:
        with pytest.raises(ProtocolError, match="model_missing, no such model"):
            await said((await found(agents, "builder")).prompt("Write it"))


async def test_a_prompt_of_a_plan_goes_through_all_its_steps(bus, settings):
    async def answer(request):
        plan = '{"steps": [{"id": "a", "agent": "builder", "instruction": "x"}]}'
        return reply(request, plan if request.agent == "manager" else "")

    async with model(bus, answer), caller(bus, settings) as agents:
        long = "Handle it. " + "Do this and that for them. " * 40
        words, text = await said((await found(agents, "crew")).prompt(long))
        assert text == "- builder did a"
        assert "a running" in words
