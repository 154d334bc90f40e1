"""Between our chat requests and the arguments of `litellm.acompletion`."""

from __future__ import annotations

from typing import Any

from services.router import tools
from shared.events import ChatMessage, ChatRequest
from shared.settings import RouterSettings


def arguments(request: ChatRequest, model: str, settings: RouterSettings) -> dict[str, Any]:
    """Return the arguments: streamed, with usage, and nothing dropped in silence."""
    made: dict[str, Any] = {
        "model": f"openai/{model}",
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": request.options.max_tokens or settings.max_tokens,
        "timeout": settings.first_token_s,
        "_skip_mcp_handler": True,
    }
    for name in ("temperature", "top_p", "seed", "presence_penalty", "frequency_penalty"):
        if getattr(request.options, name) is not None:
            made[name] = getattr(request.options, name)
    if request.options.stop:
        made["stop"] = list(request.options.stop)
    return made | _tools(request) | _format(request) | _beyond(request)


def _beyond(request: ChatRequest) -> dict[str, Any]:
    """Return what OpenAI's own interface does not have: servers of one's own know it, and a vendor
    that does not says so. Without a level, thinking is a switch of the model's template."""
    options = {name: getattr(request.options, name) for name in ("top_k", "min_p")}
    made = {name: value for name, value in options.items() if value is not None}
    if isinstance(request.think, bool):
        made["chat_template_kwargs"] = {"enable_thinking": request.think}
    elif request.think is not None:
        made["reasoning_effort"] = request.think
    return {"extra_body": made} if made else {}


def _tools(request: ChatRequest) -> dict[str, Any]:
    if not request.tools:
        return {}
    choice: Any = request.tool_choice
    if choice not in tools.CHOICES:
        choice = {"type": "function", "function": {"name": choice}}
    return {"tools": list(request.tools), "tool_choice": choice}


def _format(request: ChatRequest) -> dict[str, Any]:
    if request.format is None:
        return {}
    if request.format == "json":
        return {"response_format": {"type": "json_object"}}
    schema = {"name": "answer", "schema": request.format, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _message(message: ChatMessage) -> dict[str, Any]:
    made: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        pictures = [f"data:image/png;base64,{image}" for image in message.images]
        made["content"] = [
            {"type": "text", "text": message.content},
            *({"type": "image_url", "image_url": {"url": url}} for url in pictures),
        ]
    if message.tool_calls:
        made["tool_calls"] = list(message.tool_calls)
    if message.tool_call_id:
        made["tool_call_id"] = message.tool_call_id
    return made
