"""What we rely on of Ollama's wire protocol: against the fake always, and against a real server
wherever OLLAMA_HOST answers (TEST_OLLAMA_MODEL names its model)."""

import asyncio
import os
import urllib.request

import aiohttp
import orjson
import pytest

from services.router.ollama.catalogue import Catalogue
from services.router.ollama.client import OllamaClient
from services.router.ollama.engine import OllamaEngine
from services.router.ollama.stream import lines
from shared.errors import InputTooLong, InvalidInput, ModelMissing, SovereignError
from shared.events import ChatMessage, ChatOptions, EmbedRequest
from shared.settings import RouterSettings, Settings
from tests.fakes.ollama import FakeOllama
from tests.router.conftest import ask

MODEL = os.environ.get("TEST_OLLAMA_MODEL", "llama3.1:8b")
EMBEDDER = os.environ.get("TEST_OLLAMA_EMBED_MODEL", "nomic-embed-text")
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def reason_to_skip() -> str | None:
    host = os.environ.get("OLLAMA_HOST")
    if not host:
        return "OLLAMA_HOST is not set: no real Ollama to compare with"
    try:
        urllib.request.urlopen(Settings(host="here").ollama_url, timeout=1).close()
    except OSError as error:
        return f"OLLAMA_HOST={host} does not answer: {error}"
    return None


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.ollama)])
async def url(request):
    if request.param == "fake":
        async with FakeOllama((MODEL, "nomic-embed-text")) as server:
            yield server.url
        return
    reason = reason_to_skip()
    if reason is not None:
        pytest.skip(reason)
    yield Settings(host="here").ollama_url


@pytest.fixture
async def engine(url):
    router = RouterSettings(ollama_url=url, model=MODEL, num_ctx=2048, max_tokens=64, probe_s=5)
    made = OllamaEngine(Settings(host="here", router=router))
    yield made
    await made.close()


@pytest.fixture
async def raw(url):
    async with aiohttp.ClientSession(url) as session:
        yield session


async def error_of(raw, path: str, body) -> tuple[int, str]:
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    async with raw.post(path, data=data) as response:
        return response.status, (await response.json(content_type=None)).get("error", "")


def hello(**fields):
    return {"model": MODEL, "messages": [{"role": "user", "content": "Say hello."}]} | fields


async def test_c1_it_tells_that_it_runs_and_its_version(raw):
    async with raw.get("/") as response:
        assert await response.text() == "Ollama is running"
    async with raw.get("/api/version") as response:
        assert (await response.json())["version"]
    async with raw.get("/api/chat") as response:
        assert response.status == 405


async def test_c2_errors_are_objects_with_one_line(raw):
    assert await error_of(raw, "/api/chat", b"") == (400, "missing request body")
    status, line = await error_of(raw, "/api/chat", b"{not json")
    assert (status, bool(line)) == (400, True)


async def test_c3_c4_c8_a_chat_streams_lines_and_ends_with_counts(raw):
    async with raw.post("/api/chat", json=hello()) as response:
        assert response.content_type == "application/x-ndjson"
        told = [line async for line in lines(response)]
    assert [line["done"] for line in told] == [False] * (len(told) - 1) + [True]
    last = told[-1]
    assert last["done_reason"] in ("stop", "length")
    assert isinstance(last["total_duration"], int)
    assert last["total_duration"] >= last.get("eval_duration", 0)
    assert last["eval_count"] > 0


async def test_c4_without_a_stream_there_is_one_object(raw):
    async with raw.post("/api/chat", json=hello(stream=False)) as response:
        assert response.content_type == "application/json"
        assert (await response.json())["message"]["role"] == "assistant"


async def test_c9_a_missing_model_is_told_apart(raw):
    status, line = await error_of(raw, "/api/chat", hello(model="no-such-model"))
    assert (status, line) == (404, "model 'no-such-model' not found")
    assert (await error_of(raw, "/api/chat", hello(model="")))[0] == 400


async def test_c10_no_messages_loads_the_model(raw):
    async with raw.post("/api/chat", json={"model": MODEL, "messages": []}) as response:
        assert (await response.json())["done_reason"] == "load"


async def test_c12_a_wrong_format_is_an_error(raw):
    status, line = await error_of(raw, "/api/chat", hello(format="yaml"))
    assert status == 500
    assert line.startswith("invalid format")


async def test_c12_a_schema_gives_json(engine):
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    answer = await engine.chat(ask("Is water wet? As JSON.", format=schema, model=MODEL), None)
    assert isinstance(orjson.loads(answer.content)["ok"], bool)


async def with_skill(engine, skill: str, model: str) -> None:
    """Skip unless the server holds a model with this skill; the fake's always have it."""
    try:
        skills = (await engine.catalogue.shown(model)).capabilities
    except ModelMissing:
        pytest.skip(f"the server does not hold {model}")
    if skill not in skills:
        pytest.skip(f"{model} has no {skill}")


async def test_c14_a_tool_call_comes_in_openai_form(engine):
    await with_skill(engine, "tools", MODEL)
    answer = await engine.chat(ask("Weather in Bern?", tools=(TOOL,), model=MODEL), None)
    function = answer.tool_calls[0]["function"]
    assert function["name"] == "weather"
    assert isinstance(orjson.loads(function["arguments"]), dict)


async def test_c14_the_result_of_a_tool_may_follow(engine):
    await with_skill(engine, "tools", MODEL)
    asked = ask("Weather in Bern?", tools=(TOOL,), model=MODEL)
    call = {"id": "call_1", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}
    turns = (
        *asked.messages,
        ChatMessage(role="assistant", tool_calls=(call,)),
        ChatMessage(role="tool", content="sunny", tool_name="weather", tool_call_id="call_1"),
    )
    answer = await engine.chat(asked.model_copy(update={"messages": turns}), None)
    assert answer.done_reason in ("stop", "length")


async def test_c15_a_prompt_that_is_too_long_is_refused_not_cut(engine):
    with pytest.raises(InputTooLong):
        await engine.chat(ask("word " * 5000, model=MODEL), None)


async def test_c16_the_answer_is_bounded_and_says_so(engine):
    request = ask("Count to 1000.", model=MODEL, options=ChatOptions(max_tokens=2))
    assert (await engine.chat(request, None)).done_reason == "length"


async def test_c17_an_option_of_the_wrong_type_is_an_error(raw):
    status, line = await error_of(raw, "/api/chat", hello(options={"num_ctx": "many"}))
    assert (status, line) == (500, 'option "num_ctx" must be of type integer')


async def test_c20_vectors_are_unit_vectors_in_order(engine):
    await with_skill(engine, "embedding", EMBEDDER)
    reply = await engine.embed(EmbedRequest(input=("one ship", "two ships"), model=EMBEDDER))
    assert len(reply.embeddings) == 2
    for vector in reply.embeddings:
        assert sum(x * x for x in vector) == pytest.approx(1.0, abs=1e-3)


async def test_c20_no_fewer_dimensions_than_were_asked_for(engine):
    await with_skill(engine, "embedding", EMBEDDER)
    with pytest.raises(InvalidInput) as caught:
        await engine.embed(EmbedRequest(input=("a",), model=EMBEDDER, dimensions=65_536))
    assert caught.value.field == "dimensions"


async def test_c20_an_input_that_is_too_long_is_named(engine):
    await with_skill(engine, "embedding", EMBEDDER)
    with pytest.raises(InputTooLong) as caught:
        await engine.embed(EmbedRequest(input=("long " * 60_000,), model=EMBEDDER))
    assert caught.value.field == "input"


async def test_c20_no_vectors_without_the_model(engine):
    with pytest.raises(ModelMissing):
        await engine.embed(EmbedRequest(input=("a",), model="no-such-model"))


async def test_c21_c23_the_catalogue_tells_digest_and_skills(url):
    client = OllamaClient(url)
    catalogue = Catalogue(client)
    await catalogue.refresh(5.0)
    held = catalogue.find(MODEL)
    assert held is not None
    assert len(held.digest) == 64
    assert "completion" in (await catalogue.shown(MODEL)).capabilities
    await client.close()


async def test_c24_a_failed_pull_arrives_as_an_error_line_with_status_200(raw):
    body = {"model": "missing-here/no-such-model"}
    async with raw.post("/api/pull", json=body) as response:
        assert response.status == 200
        with pytest.raises(SovereignError):
            assert [line async for line in lines(response)] == []


async def test_c28_leaving_early_frees_the_place(engine):
    request = ask("Tell a very long story.", model=MODEL, options=ChatOptions(max_tokens=60))
    heard = asyncio.Event()

    async def hear(_: str) -> None:
        heard.set()

    task = asyncio.create_task(engine.chat(request, hear))
    await heard.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (await engine.chat(request, None)).content


async def test_the_probe_finds_it_ready(engine):
    status = await engine.probe()
    assert (status.state, status.model) == ("ready", MODEL)


async def test_pictures_for_a_text_model_are_refused(engine):
    message = ChatMessage(role="user", content="What is this?", images=("aGVsbG8=",))
    with pytest.raises(InvalidInput):
        await engine.chat(ask(model=MODEL).model_copy(update={"messages": (message,)}), None)
