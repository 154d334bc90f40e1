"""The official client takes the fake for the real thing."""

import ollama
import pytest
from ollama import AsyncClient

SAID = [{"role": "user", "content": "hello"}]


@pytest.fixture
async def client(fake):
    made = AsyncClient(fake.url)
    yield made
    await made.close()


async def test_it_chats_whole_and_in_a_stream(client):
    whole = await client.chat("llama3.1:8b", SAID)
    stream = await client.chat("llama3.1:8b", SAID, stream=True)
    parts = [part async for part in stream]
    assert "".join(part.message.content for part in parts) == whole.message.content
    assert parts[-1].done
    assert parts[-1].eval_count == whole.eval_count


async def test_it_generates_embeds_lists_and_shows(client):
    assert (await client.generate("llama3.1:8b", "hello")).response
    assert len((await client.embed("nomic-embed-text", ["a", "b"])).embeddings) == 2
    assert "llama3.1:8b" in [model.model for model in (await client.list()).models]
    assert "completion" in (await client.show("llama3.1:8b")).capabilities


async def test_it_pulls_and_hears_of_errors(client):
    steps = [step async for step in await client.pull("new:1b", stream=True)]
    assert steps[-1].status == "success"
    with pytest.raises(ollama.ResponseError, match="does not exist"):
        [step async for step in await client.pull("missing", stream=True)]
    with pytest.raises(ollama.ResponseError, match="not found"):
        await client.chat("nobody", SAID)


async def test_a_schema_and_tools_are_answered_in_form(client):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert (await client.chat("llama3.1:8b", SAID, format=schema)).message.content == '{"n":1}'
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    called = await client.chat("llama3.1:8b", SAID, tools=[tool])
    assert called.message.tool_calls[0].function.name == "f"
