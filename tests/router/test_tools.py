"""Tools: what is refused, what engines are told, and a whole turn over the bus."""

import json

import pytest

from services.router import tools
from services.router.ollama import chat as ollama_chat
from shared.errors import InvalidInput, OutputInvalid
from shared.events import ChatMessage
from shared.settings import RouterSettings
from tests.router.conftest import ask, chat


def tool(name: str, **parameters) -> dict:
    schema = {"type": "object", "properties": parameters}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


WEATHER = tool("weather", city={"type": "string"})
CLOCK = tool("clock")
LOOP = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}


def turn(**fields) -> ChatMessage:
    return ChatMessage(role=fields.pop("role", "assistant"), **fields)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"tools": ({"type": "retrieval"},)}, "tools.0"),
        ({"tools": ({"function": {"name": "no spaces"}},)}, "tools.0.function.name"),
        ({"tools": (CLOCK, CLOCK)}, "tools"),
        ({"tools": (tool("many"),) * 129}, "tools"),
        (
            {"tools": ({"function": {"name": "f", "parameters": []}},)},
            "tools.0.function.parameters",
        ),
        (
            {"tools": ({"function": {"name": "f", "parameters": LOOP}},)},
            "tools.0.function.parameters",
        ),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": (CLOCK,), "tool_choice": "weather"}, "tool_choice"),
    ],
)
def test_tools_out_of_order_name_the_field(fields, field):
    with pytest.raises(InvalidInput) as caught:
        tools.check(ask(**fields))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (turn(role="tool", content="12:00"), "messages.0.tool_call_id"),
        (turn(tool_calls=({"id": "x"},)), "messages.0.tool_calls.0"),
        (
            turn(tool_calls=({"function": {"name": "f", "arguments": "{half"}},)),
            "messages.0.tool_calls.0",
        ),
        (
            turn(tool_calls=({"function": {"name": "f", "arguments": "[1]"}},)),
            "messages.0.tool_calls.0",
        ),
    ],
)
def test_turns_out_of_order_name_the_field(message, field):
    with pytest.raises(InvalidInput) as caught:
        tools.check(ask().model_copy(update={"messages": (message,)}))
    assert caught.value.field == field


def test_ollama_is_told_the_tool_of_a_result_by_its_name():
    turns = (turn(tool_calls=(CALL,)), turn(role="tool", content="12:00", tool_call_id="call_1"))
    request = ask(tools=(CLOCK,)).model_copy(update={"messages": turns})
    said, result = ollama_chat.body(request, RouterSettings())["messages"]
    assert said["tool_calls"][0]["function"] == {"name": "clock", "arguments": {}}
    assert (result["tool_name"], result["tool_call_id"]) == ("clock", "call_1")


def test_a_choice_narrows_what_is_offered():
    both = (WEATHER, CLOCK)
    offered = [
        tools.offered(ask(tools=both, tool_choice=choice))
        for choice in ("auto", "none", "required", "clock")
    ]
    assert offered == [both, (), both, (CLOCK,)]


def test_calls_without_an_id_get_one_of_their_own():
    found = [{"function": {"name": "clock", "arguments": {}}}] * 2
    first, second = ollama_chat.tool_calls(found)
    assert first["id"].startswith("call_")
    assert first["id"] != second["id"]


async def test_a_call_and_its_result_go_over_the_bus(bus, router, fake):
    async with router():
        request = ask("Weather in Bern?", tools=(WEATHER,))
        called = await chat(bus, request)
        call = called.tool_calls[0]
        assert (call["type"], call["function"]["name"]) == ("function", "weather")
        assert json.loads(call["function"]["arguments"])["city"]
        result = turn(role="tool", content="sunny", tool_call_id=call["id"])
        turns = (*request.messages, turn(tool_calls=called.tool_calls), result)
        answer = await chat(bus, request.model_copy(update={"messages": turns}))
    assert answer.content
    assert not answer.tool_calls
    assert fake.stats.bodies[-1]["messages"][-1]["tool_name"] == "weather"


async def test_a_model_that_must_call_is_asked_twice_then_it_is_an_error(bus, router, fake):
    async with router():
        request = ask("time?", tools=(CLOCK,), tool_choice="required", model="wordy-once")
        assert (await chat(bus, request)).tool_calls
        with pytest.raises(OutputInvalid, match="called no tool"):
            await chat(bus, request.model_copy(update={"model": "wordy"}))
    assert "clock" in fake.stats.bodies[1]["messages"][-1]["content"]


async def test_thoughts_come_beside_the_answer(bus, router):
    async with router():
        reply = await chat(bus, ask("think", model="thinker", think=True))
        assert reply.thinking == "Let me see."
        assert "Let me see" not in reply.content
        with pytest.raises(InvalidInput):
            await chat(bus, ask("think", think="high"))
