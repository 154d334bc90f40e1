"""Tools and their calls: whether a request's are in order, and what engines need to know of them.

The shapes are those of OpenAI's chat completions: a tool is `{"type": "function", "function":
{"name", "description"?, "parameters"?}}`, a call `{"id", "type": "function", "function": {"name",
"arguments"}}` with the arguments as a JSON text.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from shared.errors import InvalidInput
from shared.events import ChatMessage, ChatRequest

NAME = re.compile(r"^[A-Za-z0-9_.-]{1,64}$")
MAX_TOOLS = 128
CHOICES = ("auto", "none", "required")


def check(request: ChatRequest) -> None:
    """Raise `InvalidInput` that names the field for tools, calls or a choice out of order."""
    if len(request.tools) > MAX_TOOLS:
        raise InvalidInput(f"tools: at most {MAX_TOOLS}", field="tools")
    names = [_name(tool, f"tools.{number}") for number, tool in enumerate(request.tools)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"tools: {twice} is there twice", field="tools")
    _check_choice(request.tool_choice, names)
    for number, message in enumerate(request.messages):
        _check_message(message, f"messages.{number}")


def offered(request: ChatRequest) -> tuple[dict[str, Any], ...]:
    """Return the tools that the model may choose from: all, none, or the one that is named."""
    choice = request.tool_choice
    if choice == "none":
        return ()
    if choice in CHOICES:
        return request.tools
    return tuple(tool for tool in request.tools if tool["function"]["name"] == choice)


def must_call(request: ChatRequest) -> bool:
    """Tell whether an answer without a call is no answer."""
    return bool(request.tools) and request.tool_choice not in ("auto", "none")


def arguments(call: dict[str, Any]) -> dict[str, Any]:
    """Return a call's arguments as an object, whether they come as one or as its JSON text."""
    given = call["function"].get("arguments") or {}
    found = orjson.loads(given) if isinstance(given, str) else given
    if not isinstance(found, dict):
        raise TypeError("arguments are an object")
    return found


def names_by_id(messages: tuple[ChatMessage, ...]) -> dict[str, str]:
    """Return which tool each call so far was for, by the call's id."""
    calls = (call for message in messages for call in message.tool_calls)
    return {call.get("id", ""): call["function"]["name"] for call in calls}


def _name(tool: dict[str, Any], field: str) -> str:
    """Return the name of a well-formed tool."""
    function = tool.get("function")
    if tool.get("type", "function") != "function" or not isinstance(function, dict):
        raise InvalidInput(f'{field}: must be {{"type": "function", "function": …}}', field=field)
    name = function.get("name")
    if not isinstance(name, str) or not NAME.match(name):
        line = f"{field}.function.name: must be 1 to 64 letters, digits, `_`, `-` or `.`"
        raise InvalidInput(line, field=f"{field}.function.name")
    _check_parameters(function.get("parameters"), f"{field}.function.parameters")
    return name


def _check_parameters(schema: Any, field: str) -> None:
    if schema is None:
        return
    if not isinstance(schema, dict):
        raise InvalidInput(f"{field}: must be a JSON Schema object", field=field)
    if b'"$ref"' not in _plain(schema, field):
        return
    from shared import schema_check  # only references can lead in circles; it costs memory

    wrong = schema_check.usable(schema)
    if wrong is not None:
        raise InvalidInput(f"{field}: {wrong}", field=field)


def _plain(value: Any, field: str) -> bytes:
    """Return the JSON of what is to be sent on; raise `InvalidInput` for what has none."""
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise InvalidInput(f"{field}: cannot be sent on: {error}", field=field) from None


def _check_choice(choice: str, names: list[str]) -> None:
    if choice in ("auto", "none"):
        return
    if not names:
        raise InvalidInput(f"tool_choice: {choice}, but there are no tools", field="tool_choice")
    if choice != "required" and choice not in names:
        raise InvalidInput(f"tool_choice: there is no tool {choice}", field="tool_choice")


def _check_message(message: ChatMessage, field: str) -> None:
    if message.role == "tool" and not (message.tool_call_id or message.tool_name):
        line = f"{field}.tool_call_id: a tool's result names the call that it answers"
        raise InvalidInput(line, field=f"{field}.tool_call_id")
    for number, call in enumerate(message.tool_calls):
        _check_call(call, f"{field}.tool_calls.{number}")


def _check_call(call: dict[str, Any], field: str) -> None:
    try:
        named = isinstance(call["function"]["name"], str)
        arguments(call)
    except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError):
        named = False
    if not named:
        line = f"{field}: needs function.name and JSON arguments"
        raise InvalidInput(line, field=field)
    _plain(call, field)
