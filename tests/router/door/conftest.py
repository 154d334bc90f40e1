"""A router with its door open, and the vendors' own clients at it."""

from contextlib import asynccontextmanager

import anthropic
import openai
import pytest

from tests.conftest import NatsServer, free_port


@pytest.fixture(scope="module")
def nats_server(tmp_path_factory):
    """One server for a file: the door keeps nothing on it."""
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def door(router):
    """Return a function that runs a router with a door and yields the door's address."""

    @asynccontextmanager
    async def run(engine: str = "auto", **changes):
        port = changes.setdefault("door_port", free_port())
        changes.setdefault("shared_cache", False)  # the tests of a file share their server
        async with router(engine, **changes):
            yield f"http://127.0.0.1:{port}"

    return run


@pytest.fixture
def gpt(door):
    """Return a function that gives OpenAI's client at a door with the fake Ollama behind it."""

    @asynccontextmanager
    async def run(**changes):
        async with door(**changes) as url, openai_at(url) as client:
            yield client

    return run


@pytest.fixture
def claude(door):
    """Return a function that gives Anthropic's client at such a door."""

    @asynccontextmanager
    async def run(**changes):
        async with door(**changes) as url, anthropic_at(url) as client:
            yield client

    return run


def openai_at(url: str, key: str = "none") -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


def anthropic_at(url: str, key: str = "none") -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=url, api_key=key, max_retries=0)
