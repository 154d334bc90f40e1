"""Between our chat requests and the bodies of `POST /api/chat`."""

from __future__ import annotations

from typing import Any

import orjson

from shared.errors import InvalidInput
from shared.events import ChatMessage, ChatRequest
from shared.settings import RouterSettings


def body(request: ChatRequest, settings: RouterSettings) -> dict[str, Any]:
    """Return the request as Ollama takes it.

    Always streamed; input that is too long is refused and not cut (`truncate`, `shift`);
    `num_ctx` never varies, since another value reloads the model; `num_predict` is bounded.
    """
    made: dict[str, Any] = {
        "model": request.model,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        "truncate": False,
        "shift": False,
        "keep_alive": keep_alive(settings.keep_alive),
        "options": options(request, settings),
    }
    if request.format is not None:
        made["format"] = request.format
    if request.tools:
        made["tools"] = list(request.tools)
    return made


def options(request: ChatRequest, settings: RouterSettings) -> dict[str, Any]:
    """Return the sampling options that are set, with the two that always are."""
    asked = request.options
    made: dict[str, Any] = {
        "num_ctx": settings.num_ctx,
        "num_predict": asked.max_tokens or settings.max_tokens,
    }
    for name in ("temperature", "top_p", "seed"):
        if getattr(asked, name) is not None:
            made[name] = getattr(asked, name)
    if asked.stop:
        made["stop"] = list(asked.stop)
    return made


def keep_alive(value: str) -> str | int:
    """Return a Go duration as it is, and a bare number as seconds."""
    return int(value) if value.lstrip("-").isdigit() else value


def tool_calls(found: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Return Ollama's tool calls in OpenAI's shape: arguments are a JSON text."""
    return tuple(
        {
            "id": call.get("id", f"call_{position}"),
            "type": "function",
            "function": {
                "name": call["function"]["name"],
                "arguments": orjson.dumps(call["function"].get("arguments") or {}).decode(),
            },
        }
        for position, call in enumerate(found)
    )


def _message(message: ChatMessage) -> dict[str, Any]:
    made: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        made["images"] = list(message.images)
    if message.tool_calls:
        made["tool_calls"] = [_call(call) for call in message.tool_calls]
    for name in ("tool_name", "tool_call_id"):
        if getattr(message, name):
            made[name] = getattr(message, name)
    return made


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """Return OpenAI's tool call as Ollama takes it: arguments are an object."""
    try:
        function = call["function"]
        given = function.get("arguments") or {}
        arguments = orjson.loads(given) if isinstance(given, str) else given
        return {"id": call.get("id", ""), "function": {**function, "arguments": arguments}}
    except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError):
        raise InvalidInput(
            "messages.tool_calls: each needs function.name and JSON arguments",
            field="messages.tool_calls",
        ) from None
