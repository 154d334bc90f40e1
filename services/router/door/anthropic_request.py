"""Messages as Anthropic's clients ask for them, made into our own request.

The rule for options is that of `openai_request`: what would change the answer and cannot be done is
refused by its name; what only the vendor's service knows (`metadata`, `service_tier`,
`cache_control`, beta headers) is ignored. `thinking` is a wish: a model that thinks does so anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import orjson
from pydantic import Field, ValidationError

from services.router.door.asked import Asked, Given, made, parsed
from shared.bus import invalid
from shared.errors import InvalidInput

REFUSED = ("mcp_servers", "container", "context_management")
RENAMED = {"stop": "stop_sequences", "format": "output_format", "think": "thinking"}
SILENT = ("thinking", "redacted_thinking")
"""Thoughts of earlier turns; models are not shown them again."""


class Block(Given):
    """A piece of content."""

    type: str
    text: str = ""
    source: dict[str, Any] = Field(default_factory=dict)
    id: str = ""
    name: str = ""
    input: dict[str, Any] = Field(default_factory=dict)
    tool_use_id: str = ""
    content: str | tuple[Block, ...] | None = None
    is_error: bool = False


class Message(Given):
    """One turn."""

    role: Literal["user", "assistant", "system"]
    content: str | tuple[Block, ...]


class Tool(Given):
    """A tool of the caller's own; those of the vendor have another `type`."""

    name: str
    description: str = ""
    input_schema: dict[str, Any] | None = None
    type: str | None = None


class Messages(Given):
    """The body of `POST /v1/messages`; `max_tokens` is not asked for when tokens are counted."""

    model: str = Field(min_length=1, max_length=200)
    messages: tuple[Message, ...] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, ge=1)
    system: str | tuple[Block, ...] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: tuple[str, ...] | None = None
    tools: tuple[Tool, ...] | None = None
    tool_choice: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None
    output_format: dict[str, Any] | None = None
    output_config: dict[str, Any] | None = None


def read(data: bytes, known: dict[str, Any]) -> Asked:
    """Return what is asked."""
    given = body(data)
    if given.max_tokens is None:
        raise InvalidInput("max_tokens: is required", field="max_tokens")
    thinking = (given.thinking or {}).get("type")
    fields = {
        "messages": turns(given),
        "model": given.model,
        "options": _options(given),
        "format": _format(given),
        "tools": tools(given),
        "tool_choice": _choice(given.tool_choice or {}),
        "think": False if thinking == "disabled" else None,
        "stream": bool(given.stream),
    }
    request = made(fields | known, RENAMED)
    return Asked(request, given.model, thoughts=thinking in ("enabled", "adaptive"))


def body(data: bytes) -> Messages:
    """Return the checked body."""
    found = parsed(data)
    for name in REFUSED:
        if found.get(name):
            raise InvalidInput(f"{name}: cannot be done by this router", field=name)
    try:
        return Messages.model_validate(found)
    except ValidationError as error:
        raise invalid(error) from None


def turns(given: Messages) -> list[dict[str, Any]]:
    """Return the system's words and all turns; each tool's result is a turn of its own."""
    system = _text(given.system, "system")
    found: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    for number, message in enumerate(given.messages):
        if isinstance(message.content, str):
            found.append({"role": message.role, "content": message.content})
        else:
            found += _turns(message.role, message.content, f"messages.{number}.content")
    return found


def tools(given: Messages) -> list[dict[str, Any]]:
    """Return the tools in OpenAI's shape."""
    found = []
    for number, tool in enumerate(given.tools or ()):
        if tool.type not in (None, "custom"):
            line = f"tools.{number}.type: {tool.type} is a tool of the vendor's own"
            raise InvalidInput(line, field=f"tools.{number}.type")
        function = {"name": tool.name, "description": tool.description}
        schema = tool.input_schema or {"type": "object", "properties": {}}
        found.append({"type": "function", "function": function | {"parameters": schema}})
    return found


def _turns(role: str, blocks: tuple[Block, ...], field: str) -> Iterator[dict[str, Any]]:
    texts, images, calls = [], [], []
    for number, block in enumerate(blocks):
        where = f"{field}.{number}"
        if block.type == "tool_result":
            yield from _result(block, where)
        elif block.type == "tool_use":
            calls.append(_call(block))
        elif block.type == "image":
            images.append(_image(block, where))
        elif block.type not in SILENT:
            texts.append(_words(block, where))
    if texts or images or calls:
        content = "\n".join(texts)
        yield {"role": role, "content": content, "images": images, "tool_calls": calls}


def _result(block: Block, field: str) -> Iterator[dict[str, Any]]:
    """Yield a tool's result; its pictures follow as the user's, since results hold text."""
    parts = block.content if isinstance(block.content, tuple) else ()
    images = [_image(part, field) for part in parts if part.type == "image"]
    words = tuple(part for part in parts if part.type != "image")
    text = block.content if isinstance(block.content, str) else _text(words, field)
    told = f"Error: {text}" if block.is_error else text
    yield {"role": "tool", "content": told, "tool_call_id": block.tool_use_id}
    if images:
        yield {"role": "user", "content": "", "images": images}


def _call(block: Block) -> dict[str, Any]:
    function = {"name": block.name, "arguments": orjson.dumps(block.input).decode()}
    return {"id": block.id, "type": "function", "function": function}


def _image(block: Block, field: str) -> str:
    if block.source.get("type") != "base64" or not isinstance(block.source.get("data"), str):
        line = f"{field}.source: only base64; this door fetches nothing from elsewhere"
        raise InvalidInput(line, field=f"{field}.source")
    return str(block.source["data"])


def _text(content: str | tuple[Block, ...] | None, field: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(_words(block, f"{field}.{n}") for n, block in enumerate(content))


def _words(block: Block, field: str) -> str:
    if block.type == "text":
        return block.text
    if block.type == "document" and block.source.get("type") == "text":
        return str(block.source.get("data", ""))
    raise InvalidInput(f"{field}.type: {block.type[:40]} cannot be read", field=f"{field}.type")


def _options(given: Messages) -> dict[str, Any]:
    return {
        "max_tokens": given.max_tokens,
        "temperature": given.temperature,
        "top_p": given.top_p,
        "top_k": given.top_k,
        "stop": given.stop_sequences or (),
    }


def _format(given: Messages) -> Any:
    wanted = given.output_format or (given.output_config or {}).get("format")
    if not wanted:
        return None
    if wanted.get("type") != "json_schema" or not isinstance(wanted.get("schema"), dict):
        line = "output_format: json_schema with its schema"
        raise InvalidInput(line, field="output_format")
    return wanted["schema"]


def _choice(given: dict[str, Any]) -> str:
    kind = given.get("type", "auto")
    if kind == "tool" and isinstance(given.get("name"), str):
        return str(given["name"])
    known = {"auto": "auto", "any": "required", "none": "none"}
    if kind not in known:
        line = "tool_choice: auto, any, none, or one tool by its name"
        raise InvalidInput(line, field="tool_choice")
    return known[kind]
