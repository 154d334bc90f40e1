"""Between our chat requests and the bodies of `POST /api/chat`."""

from __future__ import annotations

from typing import Any

import orjson

from services.router import tools
from shared.errors import InputTooLong
from shared.events import ChatMessage, ChatRequest
from shared.ids import ulid
from shared.settings import RouterSettings

SAMPLING = (
    "temperature", "top_p", "seed", "top_k", "min_p", "presence_penalty", "frequency_penalty",
)  # fmt: skip
MOST_CHARACTERS = 256
"""Of one token: the longest of common vocabularies are runs of 128 spaces."""


def body(request: ChatRequest, settings: RouterSettings) -> dict[str, Any]:
    """Return the request as Ollama takes it.

    Always streamed; input that is too long is refused and not cut (`truncate`, `shift`);
    `num_ctx` never varies, since another value reloads the model; `num_predict` is bounded.
    """
    made: dict[str, Any] = {
        "model": request.model,
        "messages": _messages(request),
        "stream": True,
        "truncate": False,
        "shift": False,
        "keep_alive": keep_alive(settings.keep_alive),
        "options": options(request, settings),
    }
    if request.format is not None:
        made["format"] = request.format
    offered = tools.offered(request)
    if offered:
        made["tools"] = list(offered)
    if request.think is not None:
        made["think"] = request.think
    return made


def refuse_endless(request: ChatRequest, settings: RouterSettings) -> None:
    """Raise `InputTooLong` for a prompt that no tokenizer could make fit: no host is asked."""
    most = settings.num_ctx * MOST_CHARACTERS
    given = sum(len(message.content) for message in request.messages)
    if given > most:
        line = f"the input has {given} characters, far more than {settings.num_ctx} tokens"
        raise InputTooLong(f"{line} (SOVEREIGN_ROUTER__NUM_CTX)", field="messages")


def options(request: ChatRequest, settings: RouterSettings) -> dict[str, Any]:
    """Return the sampling options that are set, with the two that always are.

    More tokens than the context holds are never asked for: it is not shifted, so none come.
    """
    asked = request.options
    made: dict[str, Any] = {
        "num_ctx": settings.num_ctx,
        "num_predict": min(asked.max_tokens or settings.max_tokens, settings.num_ctx),
    }
    for name in SAMPLING:
        value = getattr(asked, name)
        if value is not None:
            made[name] = value
    if asked.stop:
        made["stop"] = list(asked.stop)
    return made


def keep_alive(value: str) -> str | int:
    """Return a Go duration as it is, and a bare number as seconds."""
    return int(value) if value.lstrip("-").isdigit() else value


def tool_calls(found: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Return Ollama's tool calls in OpenAI's shape: arguments are a JSON text.

    Servers before 0.12 tell no id; a made one is unlike those of all other turns.
    """
    return tuple(
        {
            "id": call.get("id") or f"call_{ulid()}",
            "type": "function",
            "function": {
                "name": call["function"]["name"],
                "arguments": orjson.dumps(call["function"].get("arguments") or {}).decode(),
            },
        }
        for call in found
    )


def _messages(request: ChatRequest) -> list[dict[str, Any]]:
    """Return the turns; templates know a tool's result by the tool's name, callers by the id."""
    named = tools.names_by_id(request.messages)
    return [_message(message, named) for message in request.messages]


def _message(message: ChatMessage, named: dict[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        made["images"] = list(message.images)
    if message.tool_calls:
        made["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id:
        made["tool_call_id"] = message.tool_call_id
    name = message.tool_name or named.get(message.tool_call_id or "")
    if name:
        made["tool_name"] = name
    return made


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """Return OpenAI's tool call as Ollama takes it: arguments are an object."""
    function = {"name": call["function"]["name"], "arguments": tools.arguments(call)}
    return {"id": call.get("id") or "", "function": function}
