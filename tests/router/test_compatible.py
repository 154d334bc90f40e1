"""The engine on OpenAI-compatible servers. litellm is imported here, and only here."""

import asyncio
import contextlib
import os
import socket
from decimal import Decimal

import pytest

from services.router import clouds
from services.router.asking import ask as ask_whole
from services.router.compatible import library
from services.router.compatible.engine import CompatibleEngine
from services.router.compatible.server import ServerEngine
from shared.errors import (
    BudgetExceeded,
    Busy,
    EngineFailed,
    InputTooLong,
    InvalidSetting,
    ModelMissing,
    Refused,
    TimedOut,
    Unavailable,
)
from shared.events import ChatOptions, EmbedReply, EmbedRequest, Empty, Sovereignty
from shared.settings import CloudModel, ModelServer, RouterSettings, Settings
from tests.conftest import free_port
from tests.fakes.openai import FakeOpenAI
from tests.router.conftest import ask, chat, until

pytestmark = [
    pytest.mark.timeout(240),  # whoever comes first imports litellm: slow on a busy machine
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Item .* on TypedDict class:UserWarning"),
]
"""What litellm's own models warn of, whenever the first of them is made."""
HERE = "http://127.0.0.1:1/v1"
ONE = ChatOptions(temperature=0, max_tokens=1)
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.fixture(autouse=True)
def names_asked_for(monkeypatch):
    """No name but this host's is ever looked up, not even while litellm is imported."""
    asked, real = [], socket.getaddrinfo

    def look_up(host, *rest, **named):
        asked.append(host)
        return real(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield asked
    assert {str(host) for host in asked} <= {"127.0.0.1", "localhost", "None"}


@pytest.fixture
async def server():
    async with FakeOpenAI() as fake:
        yield fake
        await library.close()


def engine_at(url: str | None, **changes) -> CompatibleEngine:
    router = RouterSettings(openai_url=url, openai_model="local-model", **changes)
    return CompatibleEngine(Settings(host="here", engine="openai", router=router))


async def test_without_an_address_it_does_not_start():
    with pytest.raises(InvalidSetting, match="OPENAI_URL"):
        engine_at(None)


async def test_the_probe_needs_no_litellm_and_tells_states(server):
    assert (await engine_at(server.url).probe()).state == "ready"
    assert (await engine_at("http://127.0.0.1:1/v1").probe()).state == "absent"
    assert (await engine_at("https://api.openai.com/v1").probe()).state == "refused"
    server.models = ("other",)
    assert (await engine_at(server.url).probe()).state == "model_missing"


async def test_another_model_or_server_under_the_same_name_finds_no_old_answers():
    engines = [engine_at("http://127.0.0.1:1/v1"), engine_at("http://127.0.0.1:2/v1")]
    router = RouterSettings(openai_url="http://127.0.0.1:1/v1", openai_model="other-model")
    engines.append(CompatibleEngine(Settings(host="here", engine="openai", router=router)))
    assert len({await engine.identity("") for engine in engines}) == 3


async def test_a_model_that_the_server_does_not_list_has_no_identity(server):
    engine = engine_at(server.url)
    await engine.probe()
    assert await engine.identity("") == f"{server.url} local-model"
    assert await engine.identity("another-model") == ""


async def test_a_chat_is_streamed_with_usage(server):
    told = []

    async def tell(delta: str) -> None:
        told.append(delta)

    answer = await engine_at(server.url).chat(ask("count the ships"), tell)
    assert "".join(told) == answer.content
    assert "count the ships" in answer.content
    assert (answer.prompt_tokens, answer.completion_tokens) == (7, 5)
    assert (answer.own_host, answer.cost_usd, answer.host) == (True, 0, "here")
    assert os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"


async def test_tool_calls_are_joined_from_their_parts(server):
    tool = {"type": "function", "function": {"name": "weather", "parameters": {}}}
    answer = await engine_at(server.url).chat(ask("Bern?", tools=(tool,)), None)
    function = {"name": "weather", "arguments": '{"city": "Bern"}'}
    assert answer.tool_calls == ({"id": "call_1", "type": "function", "function": function},)


async def test_a_schema_is_asked_for_and_checked(server):
    answer = await ask_whole(engine_at(server.url), ask("a number", format=SCHEMA), None)
    assert answer.data == {"n": 1}


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("missing", ModelMissing),
        ("busy", Busy),
        ("long", InputTooLong),
        ("mid", EngineFailed),
        ("nofinish", EngineFailed),
        ("page", EngineFailed),
        ("no-key", Refused),
        ("stall", TimedOut),
    ],
)
async def test_faults_have_their_own_errors_and_leave_no_stream(server, model, error):
    with pytest.raises(error):
        await engine_at(server.url, idle_s=0.3).chat(ask(model=model), None)
    await until(lambda: server.stats.open_streams == 0)


async def test_the_time_that_a_server_asks_for_is_passed_on(server):
    with pytest.raises(Busy) as told:
        await engine_at(server.url).chat(ask(model="late"), None)
    assert told.value.retry_after_s == 17
    assert told.value.message == "RateLimitError: slow down"


async def test_litellm_writes_no_line_for_a_call(server, caplog):
    with caplog.at_level("INFO"):
        await engine_at(server.url).chat(ask(), None)
    assert not [line for line in caplog.records if line.name.startswith("LiteLLM")]


async def test_nobody_there_is_unavailable():
    with pytest.raises(Unavailable):
        await engine_at("http://127.0.0.1:1/v1").chat(ask(), None)
    await library.close()


async def test_a_host_that_says_nothing_at_all_is_given_up_soon(monkeypatch):
    monkeypatch.setattr(library, "CONNECT_S", 0.3)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        with contextlib.ExitStack() as line:
            for _ in range(4):  # the line before a socket that nobody serves is full then
                waiting = line.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))
            with pytest.raises((TimedOut, Unavailable)):
                await engine_at(f"http://127.0.0.1:{port}/v1").chat(ask(), None)
    await library.close()


async def test_a_server_that_failed_is_left_alone_for_a_while(server):
    settings = Settings(host="here", router=RouterSettings())
    away = ServerEngine(settings, "vllm", ModelServer(url=HERE, model="m"))
    with pytest.raises(Unavailable, match="Connection error"):
        await away.chat(ask(), None)
    with pytest.raises(Unavailable, match="vllm failed and is left alone"):
        await away.chat(ask(), None)
    there = ServerEngine(settings, "vllm", ModelServer(url=server.url, model="busy"))
    for _ in range(4):
        with pytest.raises(Busy):
            await there.chat(ask(), None)


async def test_a_cancelled_chat_ends_upstream(server):
    held = asyncio.create_task(engine_at(server.url).chat(ask(model="stall"), None))
    await until(lambda: server.stats.open_streams == 1)
    held.cancel()
    await asyncio.gather(held, return_exceptions=True)
    await until(lambda: server.stats.open_streams == 0)


async def test_vectors_become_unit_vectors(server):
    reply = await engine_at(server.url).embed(EmbedRequest(input=("a", "b"), model="e"))
    assert [round(sum(x * x for x in v), 6) for v in reply.embeddings] == [1.0, 1.0]


async def test_the_whole_router_speaks_to_such_a_server(bus, router, server):
    async with router("openai", openai_url=server.url, openai_model="local-model"):
        first, second = await chat(bus, ask("hello"), 30), await chat(bus, ask("hello"))
    assert (first.engine, first.model, first.cache) == ("openai", "local-model", "miss")
    assert (second.content, second.cache) == (first.content, "hit")


async def test_a_cloud_answers_who_may_ask_it_and_is_priced_and_bounded(bus, router, server):
    cloud = CloudModel(
        model="openai/gpt-4o-mini", url=server.url, api_key="sk-x", usd_per_month="0.005"
    )
    fallbacks = {"missing-one": "mini", "llama3.1:8b": "mini"}
    async with router(clouds={"mini": cloud}, fallbacks=fallbacks):
        with pytest.raises(ModelMissing):
            await chat(bus, ask(model="missing-one"), 30.0)
        reply = await chat(bus, ask(model="missing-one", clouds=("mini",)), 30.0)
        longer = await chat(bus, ask("word " * 9000, clouds=("mini",), options=ONE), 30.0)
        with pytest.raises(BudgetExceeded, match="cloud mini"):
            await chat(bus, ask(model="mini", options=ChatOptions(max_tokens=9000)), 30.0)
        told = await bus.request("model.sovereignty", Empty(), Sovereignty)
    assert (reply.engine, reply.model, reply.host) == ("cloud", "mini", "openai")
    assert reply.rule == "named; after missing-one: model_missing"
    assert longer.rule == "default; after llama3.1:8b: input_too_long"
    assert reply.cost_usd == Decimal("0.00000375")  # 3 of 7 tokens fresh, 4 cached, 5 answered
    assert {part.name: part.value for part in told.parts}["no_foreign_endpoint"] == 0.0


async def test_a_cloud_makes_vectors_for_who_names_it_within_its_budget(bus, router, server):
    cloud = CloudModel(model="openai/text-embedding-3-small", url=server.url, api_key="sk-x",
                       usd_per_month="0.000001")  # fmt: skip

    async def made(model: str, *texts: str, **fields) -> EmbedReply:
        asked = EmbedRequest(input=texts, model=model, **fields)
        return await bus.request("model.embed", asked, EmbedReply, 30.0)

    async with router(clouds={"far": cloud}, fallbacks={"missing-one": "far"}):
        with pytest.raises(ModelMissing):
            await made("missing-one", "a")
        reply = await made("missing-one", "a", clouds=("far",))
        again = await made("far", "a")
        with pytest.raises(BudgetExceeded, match="cloud far"):
            await made("far", "word " * 100)
        told = await bus.request("model.sovereignty", Empty(), Sovereignty)
    assert (reply.engine, reply.model, reply.host) == ("cloud", "far", "openai")
    assert (reply.cost_usd, reply.prompt_tokens) == (Decimal("0.00000006"), 3)
    assert (again.cache, again.cost_usd) == ("hit", 0)
    assert {part.name: part.value for part in told.parts}["calls_at_home"] == 0.5


async def test_a_server_of_ones_own_stands_in_for_free_and_at_home(bus, router, server):
    servers = {"vllm": ModelServer(url=server.url, model="local-model", slots=4)}
    options = ChatOptions(temperature=0, top_k=5)
    async with router(servers=servers, fallbacks={"missing-one": "vllm"}):
        request = ask("hello", model="missing-one", options=options, think=False)
        reply, again = await chat(bus, request, 30.0), await chat(bus, request)
        told = await bus.request("model.sovereignty", Empty(), Sovereignty)
    assert (reply.model, reply.rule) == ("vllm", "named; after missing-one: model_missing")
    assert (reply.cost_usd, again.cache) == (0, "hit")
    assert server.stats.bodies[0]["model"] == "local-model"
    assert server.stats.bodies[0]["top_k"] == 5
    assert server.stats.bodies[0]["chat_template_kwargs"] == {"enable_thinking": False}
    values = {part.name: part.value for part in told.parts}
    assert (values["calls_at_home"], values["no_foreign_endpoint"]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("url", "name", "why"),
    [("https://api.example.com/v1", "far", "not a host of your own"), (HERE, "both", "as well")],
)
def test_a_server_of_others_or_of_a_taken_name_stops_the_start(url, name, why):
    cloud = CloudModel(model="openai/gpt-4o", usd_per_month=1)
    servers = {name: ModelServer(url=url, model="m")}
    router = RouterSettings(servers=servers, clouds={"both": cloud})
    with pytest.raises(InvalidSetting, match=why):
        clouds.engines(Settings(host="here", router=router))


async def test_litellm_takes_our_door_for_openai(bus, router, fake):
    litellm, port = await library.load(), free_port()
    given = {"model": "openai/llama3.1:8b", "api_key": "none", "max_retries": 0}
    given |= {"api_base": f"http://127.0.0.1:{port}/v1", "_skip_mcp_handler": True}
    said = [{"role": "user", "content": "count the ships"}]
    async with router(door_port=port):
        whole = await litellm.acompletion(messages=said, **given)
        stream = await litellm.acompletion(messages=said, stream=True, **given)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        await library.close()
    assert text == whole.choices[0].message.content
    assert whole.usage.completion_tokens > 0
