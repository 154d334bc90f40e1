"""Anthropic's language: whole messages, the events of a stream, counts, errors."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import orjson

from services.router.door import anthropic_request
from services.router.door.asked import Asked, event
from services.router.door.openai import status as openai_status
from services.router.tools import arguments
from shared.errors import SovereignError
from shared.events import ChatReply
from shared.settings import RouterSettings

VENDOR = "claude-"
"""Tools built for Claude name its models and nothing else: such a name stands for the default
model, unless an alias says more."""
CHARACTERS = 3.5
"""Of English text in one token (measured between 3 and 5 for common tokenizers)."""
OVERLOADED = 529
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    OVERLOADED: "overloaded_error",
}


class Anthropic:
    """Knows the aliases, since names of the vendor's models stand for the default."""

    def __init__(self, settings: RouterSettings) -> None:
        self._aliases = settings.aliases

    def read(self, data: bytes, known: dict[str, Any]) -> Asked:
        """Return what is asked."""
        asked = anthropic_request.read(data, known)
        name = asked.request.model
        if not name.startswith(VENDOR) or name in self._aliases:
            return asked
        request = asked.request.model_copy(update={"model": ""})
        return Asked(request, asked.name, thoughts=asked.thoughts)

    def whole(self, asked: Asked, reply: ChatReply) -> bytes:
        """Return a `message`."""
        content = list(_blocks(asked, reply))
        ended = {"stop_reason": reason(reply), "stop_sequence": None, "usage": usage(reply)}
        return orjson.dumps(_head(asked) | {"model": reply.model, "content": content} | ended)

    def story(self, asked: Asked) -> Events:
        """Return the teller of a message's events."""
        return Events(asked)

    def count(self, data: bytes) -> bytes:
        """Return how many tokens the input has, as an estimate: no model is asked."""
        given = anthropic_request.body(data)
        told = orjson.dumps([anthropic_request.turns(given), anthropic_request.tools(given)])
        return orjson.dumps({"input_tokens": math.ceil(len(told.decode()) / CHARACTERS)})

    def refusal(self, error: SovereignError, request_id: str) -> tuple[int, bytes]:
        """Return status and body of an error."""
        return status(error), orjson.dumps(_error(error, request_id))

    def broken(self, error: SovereignError, request_id: str) -> bytes:
        """Return the last event of a stream that went wrong."""
        return event(_error(error, request_id), "error")


class Events:
    """The events of one message: text as it comes, then the calls, each a block of its own."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._open = False

    def begin(self) -> bytes:
        """Return the start of the message; what it took is told at its end."""
        usage = {"input_tokens": 0, "output_tokens": 0}
        ended: dict[str, Any] = {"stop_reason": None, "stop_sequence": None, "usage": usage}
        message = _head(self._asked) | {"model": self._asked.name, "content": []} | ended
        return _event("message_start", message=message)

    def piece(self, delta: str) -> bytes:
        """Return a piece of the first block."""
        opened = b"" if self._open else _start(0, {"type": "text", "text": ""})
        self._open = True
        return opened + _delta(0, {"type": "text_delta", "text": delta})

    def end(self, reply: ChatReply) -> bytes:
        """Return the end of the text, the calls, the counts."""
        told = _event("content_block_stop", index=0) if self._open else b""
        for index, call in enumerate(reply.tool_calls, start=int(self._open)):
            empty = _use(call) | {"input": {}}
            part = {"type": "input_json_delta", "partial_json": call["function"]["arguments"]}
            told += _start(index, empty) + _delta(index, part)
            told += _event("content_block_stop", index=index)
        delta = {"stop_reason": reason(reply), "stop_sequence": None}
        told += _event("message_delta", delta=delta, usage=usage(reply))
        return told + _event("message_stop")


def status(error: SovereignError) -> int:
    """Return the status that Anthropic's clients expect for an error."""
    known = openai_status(error)
    return OVERLOADED if known == 503 else known


def reason(reply: ChatReply) -> str:
    """Return Anthropic's word for why the answer ended."""
    if reply.tool_calls:
        return "tool_use"
    return "max_tokens" if reply.done_reason == "length" else "end_turn"


def usage(reply: ChatReply) -> dict[str, int]:
    """Return the counts as the engine told them."""
    return {"input_tokens": reply.prompt_tokens, "output_tokens": reply.completion_tokens}


def _head(asked: Asked) -> dict[str, Any]:
    return {"id": f"msg_{asked.request.request_id}", "type": "message", "role": "assistant"}


def _blocks(asked: Asked, reply: ChatReply) -> Iterator[dict[str, Any]]:
    if reply.thinking and asked.thoughts:
        yield {"type": "thinking", "thinking": reply.thinking, "signature": ""}
    if reply.content or not reply.tool_calls:
        yield {"type": "text", "text": reply.content}
    for call in reply.tool_calls:
        yield _use(call)


def _use(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    return {"type": "tool_use", "id": call["id"], "name": function["name"],
            "input": arguments(call)}  # fmt: skip


def _start(index: int, block: dict[str, Any]) -> bytes:
    return _event("content_block_start", index=index, content_block=block)


def _delta(index: int, delta: dict[str, Any]) -> bytes:
    return _event("content_block_delta", index=index, delta=delta)


def _event(kind: str, **fields: Any) -> bytes:
    return event({"type": kind, **fields}, kind)


def _error(error: SovereignError, request_id: str) -> dict[str, Any]:
    told = {"type": KINDS.get(status(error), "api_error"), "message": error.message}
    return {"type": "error", "error": told, "request_id": request_id}
