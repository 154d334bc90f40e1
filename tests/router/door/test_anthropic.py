"""The official client of Anthropic takes the door for the real thing."""

import anthropic
import httpx
import pytest

from tests.router.door.conftest import anthropic_at

MODEL = "llama3.1:8b"
SAID = [{"role": "user", "content": "count the ships"}]
TOOL = {
    "name": "weather",
    "description": "The weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
ASK = {"model": MODEL, "max_tokens": 100, "messages": SAID}


async def test_a_message_comes_whole(claude, fake):
    async with claude() as client:
        told = await client.messages.create(**ASK, system="be brief", stop_sequences=["END"])
    assert (told.role, told.model, told.stop_reason) == ("assistant", MODEL, "end_turn")
    assert "count the ships" in told.content[0].text
    assert told.usage.input_tokens > 0 < told.usage.output_tokens
    body = fake.stats.bodies[-1]
    assert body["messages"][0] == {"role": "system", "content": "be brief"}
    assert body["options"]["stop"] == ["END"]


async def test_a_stream_tells_the_same(claude):
    async with claude() as client:
        whole = await client.messages.create(**ASK)
        async with client.messages.stream(**ASK) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            final = await stream.get_final_message()
    assert text == whole.content[0].text
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens == whole.usage.output_tokens


async def test_a_tool_is_used_and_its_result_answered(claude, fake):
    async with claude() as client:
        first = await client.messages.create(**ASK, tools=[TOOL], tool_choice={"type": "any"})
        use = first.content[-1]
        assert (first.stop_reason, use.type, use.name) == ("tool_use", "tool_use", "weather")
        result = {"type": "tool_result", "tool_use_id": use.id, "content": "sunny"}
        turns = [*SAID, {"role": "assistant", "content": first.content}]
        turns.append({"role": "user", "content": [result]})
        told = await client.messages.create(**ASK | {"messages": turns}, tools=[TOOL])
    assert told.stop_reason == "end_turn"
    assert fake.stats.bodies[-1]["messages"][-1]["tool_name"] == "weather"


async def test_a_streamed_use_is_a_block_of_its_own(claude):
    async with claude() as client, client.messages.stream(**ASK, tools=[TOOL]) as stream:
        final = await stream.get_final_message()
    assert final.stop_reason == "tool_use"
    assert final.content[0].input["city"]


async def test_a_name_of_the_vendor_stands_for_the_default_model(claude):
    async with claude() as client:
        told = await client.messages.create(**ASK | {"model": "claude-any"})
        with pytest.raises(anthropic.NotFoundError) as caught:
            await client.messages.create(**ASK | {"model": "missing"})
    assert told.model == MODEL
    assert caught.value.body["error"]["type"] == "not_found_error"


async def test_tokens_are_counted_and_models_listed(claude):
    async with claude() as client:
        counted = await client.messages.count_tokens(model=MODEL, messages=SAID, tools=[TOOL])
        short = await client.messages.count_tokens(model=MODEL, messages=SAID)
        listed = [model.id async for model in client.models.list()]
    assert counted.input_tokens > short.input_tokens > 0
    assert MODEL in listed


async def test_errors_have_the_vendors_form(claude):
    picture = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
    turns = [{"role": "user", "content": [picture]}]
    async with claude() as client:
        with pytest.raises(anthropic.BadRequestError) as caught:
            await client.messages.create(**ASK | {"messages": turns})
    assert caught.value.body["error"]["type"] == "invalid_request_error"
    assert "fetches nothing" in caught.value.message


async def test_a_stream_that_breaks_says_so(claude):
    async with claude() as client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            async with client.messages.stream(**ASK | {"model": "mid"}) as stream:
                await stream.get_final_message()
    assert caught.value.body["error"]["type"] == "api_error"


async def test_a_busy_engine_is_overloaded(door):
    async with door() as url, anthropic_at(url) as client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            await client.messages.create(**ASK | {"model": "busy"})
        async with httpx.AsyncClient(base_url=url) as plain:
            told = await plain.post("/v1/messages", json=ASK | {"model": "busy"})
    assert (caught.value.status_code, told.status_code) == (529, 529)
    assert int(told.headers["retry-after"]) > 0
