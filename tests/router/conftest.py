"""A fake Ollama, and a whole router on a real bus."""

import asyncio
from contextlib import asynccontextmanager

import anyio
import pytest

from services.router import app
from shared import rpc
from shared.beats import VERSION
from shared.events import ChatMessage, ChatOptions, ChatReply, ChatRequest
from shared.service import Service
from tests.fakes.ollama import FakeOllama


@pytest.fixture
async def fake():
    async with FakeOllama() as server:
        yield server


@pytest.fixture
def at_fake(settings, fake):
    """Settings of a router that has the fake as its Ollama."""
    changes = {"ollama_url": fake.url, "reprobe_s": 0.05, "door_port": 0}
    router = settings.router.model_copy(update=changes)
    return settings.model_copy(update={"router": router})


@asynccontextmanager
async def serving(bus, settings):
    """Run the router's lifespan as `shared.service` does."""
    async with anyio.create_task_group() as tasks:
        service = Service("router", settings, bus, tasks)
        service.endpoints = await rpc.register(bus, "router", VERSION, {}, tasks)
        async with app.lifespan(service):
            yield service
            await service.endpoints.stop()
        tasks.cancel_scope.cancel()


def ask(text: str = "say something", **fields) -> ChatRequest:
    fields.setdefault("options", ChatOptions(temperature=0))
    return ChatRequest(messages=(ChatMessage(role="user", content=text),), **fields)


@pytest.fixture
def router(bus, at_fake):
    """Return a function that runs the router; changed settings of its group may be given."""

    def run(engine: str = "auto", **changes):
        group = at_fake.router.model_copy(update=changes)
        return serving(bus, at_fake.model_copy(update={"router": group, "engine": engine}))

    return run


async def until(condition) -> None:
    """Return when the condition holds; the test's own time limit is the limit."""
    while not condition():  # noqa: ASYNC110 - it looks at what others count
        await asyncio.sleep(0.002)


async def chat(bus, request: ChatRequest, timeout_s: float = 5.0) -> ChatReply:
    return await bus.request("model.chat", request, ChatReply, timeout_s)
