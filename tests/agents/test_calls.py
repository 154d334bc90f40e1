import asyncio
import itertools

import pytest

from services.agents import calls
from services.agents.calls import Models
from services.agents.engine import Routers
from shared.bus import encode
from shared.errors import OutputCut, TimedOut
from shared.events.models import ChatChunk, ChatMessage, ChatRequest

REQUEST = ChatRequest(messages=(ChatMessage(role="user", content="x"),), timeout_s=0.1)


@pytest.fixture
async def endless(bus):
    """A router that streams until it is told to stop; gives the event of that."""
    stopped, streams = asyncio.Event(), []

    async def stream(message):
        for index in itertools.count():
            await message.respond(encode(ChatChunk(request_id="r", index=index, delta="more ")))
            await asyncio.sleep(0)

    async def on_chat(message):
        streams.append(asyncio.create_task(stream(message)))

    async def on_cancel(message):
        stopped.set()

    await bus.nc.subscribe("model.chat", cb=on_chat)
    await bus.nc.subscribe("model.cancel", cb=on_cancel)
    await bus.nc.flush()
    yield stopped
    for task in streams:
        task.cancel()
    await asyncio.gather(*streams, return_exceptions=True)


async def test_a_model_that_streams_for_ever_is_stopped_in_time(bus, endless, monkeypatch):
    monkeypatch.setattr(calls, "GRACE_S", 0.1)
    with pytest.raises(TimedOut, match="no end of an answer"):
        await Models(bus, Routers()).once(REQUEST, lambda piece: None)
    await asyncio.wait_for(endless.wait(), 10)


async def test_a_model_that_says_too_much_is_cut_off(bus, endless, monkeypatch):
    monkeypatch.setattr(calls, "MOST_CHARS", 1000)
    heard = []
    with pytest.raises(OutputCut, match="more than 1000 characters"):
        await Models(bus, Routers()).once(REQUEST, heard.append)
    assert len("".join(heard)) == 1000
    await asyncio.wait_for(endless.wait(), 10)
