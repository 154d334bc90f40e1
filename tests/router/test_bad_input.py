"""What is wrong with a request is told over the bus by its type and its field, one by one."""

import json

import orjson

from shared.bus import decode
from shared.errors import InputTooLong, InvalidInput, ModelMissing, Refused, SovereignError
from shared.events import ChatReply
from tests.router.conftest import ask, chat, until

LOOP = {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
TOOL = {"type": "function", "function": {"name": "f"}}


def huge(**fields) -> bytes:
    """Return a request with a number that does not fit 64 bits."""
    said = [{"role": "user", "content": "hello"}]
    return json.dumps({"model": "llama3.1:8b", "messages": said} | fields).encode()


WRONG = [
    (b"", InvalidInput, "messages"),
    (b"{half", InvalidInput, "body"),
    (b'{"messages": [{"role": "wizard", "content": "x"}]}', InvalidInput, "messages.0.role"),
    ({"options": {"temperature": 9}}, InvalidInput, "options.temperature"),
    ({"options": {"max_tokens": 0}}, InvalidInput, "options.max_tokens"),
    (huge(options={"seed": 2**70}), InvalidInput, "options.seed"),
    (huge(options={"max_tokens": 2**70}), InvalidInput, "options.max_tokens"),
    (
        huge(tools=[{"function": {"name": "f", "parameters": {"maximum": 2**70}}}]),
        InvalidInput,
        "tools.0.function.parameters",
    ),
    ({"options": {"stop": ["", "x"]}}, InvalidInput, "options.stop.0"),
    ({"timeout_s": -1}, InvalidInput, "timeout_s"),
    ({"priority": "now"}, InvalidInput, "priority"),
    ({"tenant": "a.b"}, InvalidInput, "tenant"),
    ({"format": "json", "tools": [TOOL]}, InvalidInput, "format"),
    ({"format": LOOP}, InvalidInput, "format"),
    ({"tools": [TOOL, TOOL]}, InvalidInput, "tools"),
    ({"tool_choice": "required"}, InvalidInput, "tool_choice"),
    ({"messages": [{"role": "user", "images": ["aGk="]}]}, InvalidInput, "messages.images"),
    ({"messages": [{"role": "user", "content": "long " * 380_000}]}, InputTooLong, "messages"),
    ({"model": "missing"}, ModelMissing, "model"),
    ({"model": "kimi:cloud"}, Refused, "model"),
]


async def refusal(bus, body: bytes) -> SovereignError:
    answer = await bus.nc.request("model.chat", body, timeout=30)
    try:
        decode(answer.data, ChatReply)
    except SovereignError as error:
        return error
    raise AssertionError(body[:100])


async def test_each_wrong_request_is_told_by_type_and_field(bus, router, fake):
    said = [{"role": "user", "content": "hello"}]
    async with router():
        for change, kind, field in WRONG:
            given = {"model": "llama3.1:8b", "messages": said}
            body = change if isinstance(change, bytes) else orjson.dumps(given | change)
            error = await refusal(bus, body)
            assert (type(error), error.field) == (kind, field), str(change)[:100]
        await until(lambda: fake.stats.open_streams == 0)
        assert (await chat(bus, ask("hello"), 30)).is_llm
