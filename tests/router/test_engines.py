"""The whole router while its engine appears, vanishes, or is rules alone."""

import asyncio

import pytest

from shared.errors import NeedsModel
from shared.events import EmbedReply, EmbedRequest, Empty, EngineStatus
from tests.fakes.ollama import FakeOllama
from tests.router.conftest import ask, chat, until

TASK = (
    "<task>What is still pending?</task><instruction>List what is pending.</instruction>"
    '<document name="notes.md"># Pending\n- renew the certificate\n- move the backups</document>'
)


async def test_rules_answer_labelled_and_count_nothing(bus, router, fake):
    async with router("offline"):
        reply = await chat(bus, ask(TASK))
    assert (reply.engine, reply.model, reply.is_llm) == ("offline", "offline-rules/1", False)
    assert "renew the certificate" in reply.content
    assert (reply.prompt_tokens, reply.completion_tokens, reply.cache) == (0, 0, "off")
    assert fake.stats.requests == 0


async def test_without_a_model_vectors_are_refused(bus, router):
    async with router("offline"):
        with pytest.raises(NeedsModel):
            await bus.request("model.embed", EmbedRequest(input=("a",)), EmbedReply)


async def test_a_missing_model_is_told_with_what_to_do(bus, router, fake):
    fake.models.clear()
    async with router():
        status = await bus.request("model.status", Empty(), EngineStatus)
        assert (status.state, status.is_llm) == ("model_missing", False)
        assert "ollama pull llama3.1:8b" in status.detail
        assert not (await chat(bus, ask(TASK))).is_llm


async def test_when_ollama_appears_the_model_takes_over_and_the_beat_says_so(bus, router, fake):
    fake.models.clear()
    async with router() as service:
        assert service.heart.info()["engine"]["engine"] == "offline"
        fake.models.add("llama3.1:8b")
        await until(lambda: service.heart.info()["engine"]["engine"] == "ollama")
        assert (await chat(bus, ask(TASK))).is_llm


async def test_when_ollama_vanishes_the_next_request_goes_to_rules_at_once(bus, router):
    short_lived = FakeOllama()
    await short_lived.__aenter__()
    async with router(ollama_url=short_lived.url, reprobe_s=60.0) as service:
        assert (await chat(bus, ask(TASK))).is_llm
        await short_lived.__aexit__()
        assert not (await chat(bus, ask(TASK, cache="off"))).is_llm
        assert service.heart.info()["engine"]["state"] == "offline"
        with pytest.raises(NeedsModel):
            await chat(bus, ask(TASK, allow_offline=False))


async def test_when_ollama_dies_in_mid_answer_the_request_goes_on_without_it(bus, router):
    dying = FakeOllama()
    await dying.__aenter__()
    async with router(ollama_url=dying.url, reprobe_s=60.0) as service:
        held = asyncio.create_task(chat(bus, ask(TASK, model="stall")))
        await until(lambda: dying.stats.open_streams == 1)
        await dying.__aexit__()
        assert (await held).engine == "offline"
        assert service.heart.info()["engine"]["state"] == "offline"


async def test_vectors_come_from_the_embedding_model(bus, router, fake):
    async with router():
        reply = await bus.request("model.embed", EmbedRequest(input=("a b", "b a")), EmbedReply)
    assert reply.model == "nomic-embed-text"
    assert reply.embeddings[0] == reply.embeddings[1]
    assert fake.stats.embeds == 1
