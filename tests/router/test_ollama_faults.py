"""What goes wrong at Ollama, one kind at a time; the fake's fault is the model's name."""

import asyncio
import json

import pytest

from services.router.asking import ask as ask_whole
from services.router.ollama.engine import OllamaEngine
from shared.errors import (
    Busy,
    Cancelled,
    EngineFailed,
    InvalidInput,
    OutputCut,
    OutputInvalid,
    Refused,
    TimedOut,
    Unavailable,
)
from shared.events import ChatOptions, EmbedRequest
from shared.settings import RouterSettings, Settings
from tests.router.conftest import ask, until

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string", "maxLength": 40}},
    "required": ["title"],
    "additionalProperties": False,
}


@pytest.fixture
async def engine(fake):
    made = OllamaEngine(Settings(host="here", router=RouterSettings(ollama_url=fake.url)))
    yield made
    await made.close()


@pytest.fixture
async def hasty(fake):
    """An engine with little patience, for servers that fall silent."""
    router = RouterSettings(ollama_url=fake.url, first_token_s=0.2, idle_s=0.2)
    made = OllamaEngine(Settings(host="here", router=router))
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("busy", Busy),
        ("toomany", Busy),
        ("mid", EngineFailed),
        ("cut", EngineFailed),
        ("crash", EngineFailed),
        ("garbage", EngineFailed),
        ("halfline", EngineFailed),
        ("nodone", EngineFailed),
        ("repeat", OutputCut),
        ("endless", OutputCut),
        ("len", OutputCut),
    ],
)
async def test_each_fault_has_its_own_error_and_leaves_no_stream(engine, fake, model, error):
    with pytest.raises(error):
        await ask_whole(engine, ask(model=model), None)
    await until(lambda: fake.stats.open_streams == 0)


@pytest.mark.parametrize("model", ["slow-load", "stall"])
async def test_a_model_that_falls_silent_is_given_up(hasty, fake, model):
    with pytest.raises(TimedOut):
        await ask_whole(hasty, ask(model=model), None)
    await until(lambda: fake.stats.open_streams == 0)


async def test_a_caller_who_takes_nothing_is_no_fault_of_the_host(fake):
    async def stuck(_: str) -> None:
        await asyncio.Event().wait()

    router = RouterSettings(ollama_url=fake.url, idle_s=0.1)
    engine = OllamaEngine(Settings(host="here", router=router))
    with pytest.raises(Cancelled, match="the caller took nothing"):
        await engine.chat(ask(model="llama3.1:8b"), stuck)
    await until(lambda: fake.stats.open_streams == 0)
    await engine.close()


async def test_a_crash_is_tried_once_more(engine, fake):
    assert (await ask_whole(engine, ask(model="crash-once"), None)).content
    assert fake.stats.chats == 2


async def test_what_was_streamed_is_never_asked_for_again(engine, fake):
    told = []

    async def tell(delta: str) -> None:
        told.append(delta)

    with pytest.raises(EngineFailed):
        await ask_whole(engine, ask(model="mid"), tell)
    assert (len(told), fake.stats.chats) == (2, 1)


async def test_an_answer_that_breaks_the_schema_is_repaired_once(engine, fake):
    answer = await ask_whole(engine, ask("name it", model="badjson-once", format=SCHEMA), None)
    assert answer.data["title"].startswith("title")
    repair = fake.stats.bodies[-1]["messages"]
    assert [turn["role"] for turn in repair] == ["user", "assistant", "user"]
    assert "not valid" in repair[-1]["content"]


async def test_after_the_repair_it_is_an_error(engine, fake):
    with pytest.raises(OutputInvalid):
        await ask_whole(engine, ask("name it", model="badjson", format=SCHEMA), None)
    assert fake.stats.chats == 2


async def test_a_structured_answer_is_told_in_one_valid_piece(engine):
    told = []

    async def tell(delta: str) -> None:
        told.append(delta)

    answer = await ask_whole(engine, ask(model="badjson-once", format=SCHEMA), tell)
    assert told == [answer.content]


async def test_the_schema_also_stands_in_the_prompt(engine, fake):
    await ask_whole(engine, ask(model="llama3.1:8b", format=SCHEMA), None)
    assert '"maxLength":40' in fake.stats.bodies[-1]["messages"][-1]["content"]


async def test_a_schema_that_the_caller_told_is_not_told_again(engine, fake):
    text = f"Fill this: {json.dumps(SCHEMA)}"
    await ask_whole(engine, ask(text, model="llama3.1:8b", format=SCHEMA), None)
    assert fake.stats.bodies[-1]["messages"][-1]["content"] == text


async def test_c18_ollama_hears_nothing_of_a_clouds_name(engine, fake):
    for model in ("kimi:cloud", "kimi:CLOUD", "kimi:8b-Cloud "):
        with pytest.raises(Refused):
            await engine.chat(ask(model=model), None)
        with pytest.raises(Refused):
            await engine.embed(EmbedRequest(input=("a",), model=model))
    assert fake.stats.requests == 0


async def test_every_request_is_bounded_and_uncut(engine, fake):
    await ask_whole(engine, ask(model="llama3.1:8b"), None)
    body = fake.stats.bodies[-1]
    assert (body["truncate"], body["shift"], body["stream"]) == (False, False, True)
    assert body["options"] == {"num_ctx": 8192, "num_predict": 1024, "temperature": 0.0}
    assert body["keep_alive"] == "30m"
    await ask_whole(engine, ask(model="llama3.1:8b", options=ChatOptions(max_tokens=100_000)), None)
    assert fake.stats.bodies[-1]["options"]["num_predict"] == 8192


async def test_tools_for_a_model_without_them_are_refused(engine, fake):
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    with pytest.raises(InvalidInput) as caught:
        await engine.chat(ask(model="notools", tools=(tool,)), None)
    assert caught.value.field == "tools"
    assert fake.stats.chats == 0


async def test_missing_counts_are_zero(engine):
    answer = await engine.chat(ask(model="nocount"), None)
    assert (answer.prompt_tokens, answer.completion_tokens) == (0, 0)


async def test_nobody_there_is_told_at_once():
    router = RouterSettings(ollama_url="http://127.0.0.1:1")
    engine = OllamaEngine(Settings(host="here", router=router))
    with pytest.raises(Unavailable):
        await engine.chat(ask(model="llama3.1:8b"), None)
    await engine.close()
