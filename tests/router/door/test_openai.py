"""The official client takes the door for the real thing."""

import asyncio
import base64
import struct

import httpx
import openai
import pytest
from pydantic import BaseModel

from tests.router.conftest import until

MODEL = "llama3.1:8b"
SAID = [{"role": "user", "content": "count the ships"}]
WHO = ("engine", "model", "cache")
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


class Title(BaseModel):
    title: str


async def test_a_completion_comes_whole(gpt):
    async with gpt() as client:
        told = await client.chat.completions.create(model=MODEL, messages=SAID, temperature=0)
        assert (told.object, told.model, told.choices[0].finish_reason) == (
            "chat.completion", MODEL, "stop",
        )  # fmt: skip
        assert "count the ships" in told.choices[0].message.content
        assert (
            told.usage.total_tokens == told.usage.prompt_tokens + told.usage.completion_tokens > 0
        )


async def test_a_stream_joins_to_the_whole_and_ends_with_the_counts(gpt):
    async with gpt() as client:
        whole = await client.chat.completions.create(model=MODEL, messages=SAID)
        stream = await client.chat.completions.create(
            model=MODEL, messages=SAID, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text == whole.choices[0].message.content
        assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
        assert chunks[-1].choices == []
        assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


async def test_a_tool_is_called_and_its_result_answered(gpt, fake):
    async with gpt() as client:
        first = await client.chat.completions.create(model=MODEL, messages=SAID, tools=[TOOL])
        call = first.choices[0].message.tool_calls[0]
        assert (first.choices[0].finish_reason, call.function.name) == ("tool_calls", "weather")
        turns = [*SAID, first.choices[0].message.model_dump(exclude_none=True)]
        turns.append({"role": "tool", "tool_call_id": call.id, "content": "sunny"})
        told = await client.chat.completions.create(model=MODEL, messages=turns, tools=[TOOL])
        assert told.choices[0].finish_reason == "stop"
        assert fake.stats.bodies[-1]["messages"][-1]["tool_name"] == "weather"


async def test_a_streamed_call_comes_in_one_chunk(gpt):
    async with gpt() as client:
        async with client.chat.completions.stream(
            model=MODEL, messages=SAID, tools=[TOOL]
        ) as stream:
            final = await stream.get_final_completion()
        assert final.choices[0].message.tool_calls[0].function.name == "weather"
        assert final.choices[0].finish_reason == "tool_calls"


async def test_a_schema_is_met(gpt):
    async with gpt() as client:
        told = await client.chat.completions.parse(
            model=MODEL, messages=SAID, response_format=Title
        )
        assert told.choices[0].message.parsed.title
        plain = await client.chat.completions.create(
            model=MODEL, messages=SAID, response_format={"type": "json_object"}
        )
        assert plain.choices[0].message.content.startswith("{")


async def test_a_limit_ends_with_its_reason(gpt):
    async with gpt() as client:
        told = await client.chat.completions.create(
            model=MODEL, messages=SAID, max_completion_tokens=2
        )
        assert told.choices[0].finish_reason == "length"
        assert told.usage.completion_tokens == 2


async def test_options_and_parts_reach_the_engine(gpt, fake):
    async with gpt() as client:
        parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
        turns = [{"role": "developer", "content": "be brief"}, {"role": "user", "content": parts}]
        await client.chat.completions.create(
            model=MODEL, messages=turns, seed=7, top_p=0.5, stop=["END"], presence_penalty=0.5,
            user="somebody", metadata={"a": "b"}, extra_body={"top_k": 3},
        )  # fmt: skip
        body = fake.stats.bodies[-1]
        assert [turn["content"] for turn in body["messages"]] == ["be brief", "one\ntwo"]
        assert body["messages"][0]["role"] == "system"
        told = {name: body["options"][name] for name in ("seed", "top_p", "stop", "top_k")}
        assert told == {"seed": 7, "top_p": 0.5, "stop": ["END"], "top_k": 3}


async def test_vectors_come_as_floats_and_in_base64(gpt):
    async with gpt() as client:
        floats = await client.embeddings.create(
            model="nomic-embed-text", input=["a", "b"], encoding_format="float"
        )
        packed = await client.embeddings.create(model="nomic-embed-text", input=["a", "b"])
        assert [len(entry.embedding) for entry in floats.data] == [
            len(entry.embedding) for entry in packed.data
        ]
        raw = await client.post(
            "/embeddings",
            body={"model": "nomic-embed-text", "input": "a", "encoding_format": "base64"},
            cast_to=httpx.Response,
        )
        data = base64.b64decode(raw.json()["data"][0]["embedding"])
        first = struct.unpack(f"<{len(data) // 4}f", data)
        assert first == pytest.approx(floats.data[0].embedding, rel=1e-6)


async def test_vectors_say_in_headers_who_made_them_and_count_every_token(gpt, fake):
    whose = {"X-Sovereign-Task": "t1", "X-Sovereign-Agent": "builder"}
    async with gpt() as client:

        async def made(texts: list[str], **headers: str):
            return await client.embeddings.with_raw_response.create(
                model="embed", input=texts, extra_headers=whose | headers
            )

        first, second = await made(["one two"]), await made(["one two", "three"])
        off = await made(["three"], **{"X-Sovereign-Cache": "off"})
        labels = [each.headers.get("x-sovereign-cache") for each in (first, second, off)]
        assert labels == ["miss", "miss", "off"]
        assert (first.headers["x-sovereign-engine"], second.headers["x-sovereign-kept"]) == (
            "ollama", "1",
        )  # fmt: skip
        assert first.headers["x-sovereign-model"] == "nomic-embed-text"
        assert second.parse().usage.total_tokens == 3
    assert fake.stats.embedded == [["one two"], ["three"], ["three"]]


async def test_an_empty_text_is_refused_by_its_place(gpt):
    async with gpt() as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.embeddings.create(model="embed", input=["a", ""])
        assert caught.value.param == "input.1"


async def test_models_are_listed_and_found(gpt):
    async with gpt() as client:
        listed = [model.id async for model in client.models.list()]
        assert "llama3.1:8b" in listed
        assert (await client.models.retrieve("llama3.1:8b")).id == "llama3.1:8b"
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("nobody")


async def test_a_stream_replays_from_the_cache(gpt, fake):
    async with gpt() as client:

        async def text() -> str:
            stream = await client.chat.completions.create(
                model=MODEL, messages=SAID, temperature=0, stream=True
            )
            return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

        assert await text() == await text()
        assert fake.stats.chats == 1


async def test_the_headers_of_a_stream_tell_who_answers(gpt):
    async with gpt() as client:

        async def headers(model: str) -> list[str | None]:
            asked = client.chat.completions.with_streaming_response.create(
                model=model, messages=SAID, temperature=0, stream=True
            )
            async with asked as told:
                await told.read()
                return [told.headers.get(f"x-sovereign-{name}") for name in WHO]

        assert await headers(MODEL) == ["ollama", MODEL, "miss"]
        assert await headers(MODEL) == ["ollama", MODEL, "hit"]


async def test_a_caller_that_hangs_up_frees_the_slot(gpt, fake):
    async with gpt() as client:
        for stream in (True, False):
            held = asyncio.create_task(
                client.chat.completions.create(model="stall", messages=SAID, stream=stream)
            )
            await until(lambda: fake.stats.open_streams == 1)
            if stream:
                await (await held).close()
            held.cancel()
            await asyncio.gather(held, return_exceptions=True)
            await until(lambda: fake.stats.open_streams == 0)
        assert (await client.chat.completions.create(model=MODEL, messages=SAID)).choices
