"""OpenAI's language: whole completions, chunks of a stream, errors."""

from __future__ import annotations

from typing import Any

import orjson

from services.router.door import openai_request
from services.router.door.asked import Asked, event
from shared.errors import SovereignError
from shared.events import ChatReply

DONE = b"data: [DONE]\n\n"
CODES = {"input_too_long": "context_length_exceeded", "model_missing": "model_not_found"}
STATUSES = {"invalid_input": 400, "input_too_long": 400}
PARAMS = {
    "options.max_tokens": "max_completion_tokens",
    "messages.images": "messages",
    "format": "response_format",
    "think": "reasoning_effort",
    "timeout_s": "X-Sovereign-Timeout",
}
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}


class OpenAI:
    """`most` is how many tokens an answer may have whose asker sets no limit."""

    def __init__(self, most: int) -> None:
        self._most = most

    def read(self, data: bytes, known: dict[str, Any]) -> Asked:
        """Return what is asked."""
        return openai_request.read(data, known, self._most)

    def whole(self, asked: Asked, reply: ChatReply) -> bytes:
        """Return a `chat.completion`."""
        message: dict[str, Any] = {"role": "assistant", "content": reply.content, "refusal": None}
        if reply.thinking:
            message["reasoning_content"] = reply.thinking
        if reply.tool_calls:
            message |= {"tool_calls": reply.tool_calls, "content": reply.content or None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason(reply)}
        head = _head(asked, reply.request_id, "chat.completion") | {"model": reply.model}
        return orjson.dumps(head | {"choices": [choice], "usage": usage(reply)})

    def story(self, asked: Asked) -> Chunks:
        """Return the teller of `chat.completion.chunk`s."""
        return Chunks(asked)

    def refusal(self, error: SovereignError, request_id: str) -> tuple[int, bytes]:
        """Return status and body of an error."""
        return status(error), orjson.dumps({"error": _error(error)})

    def broken(self, error: SovereignError, request_id: str) -> bytes:
        """Return the last event of a stream that went wrong; no `[DONE]` comes after it."""
        return event({"error": _error(error)})


class Chunks:
    """The chunks of one answer."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        head = _head(asked, asked.request.request_id or "", "chat.completion.chunk")
        self._head = head | {"model": asked.name}
        empty = orjson.dumps(self._chunk({"content": ""}, None))
        start, _, end = empty.partition(b'"content":""')
        self._around = (b"data: " + start + b'"content":', end + b"\n\n")

    def begin(self) -> bytes:
        """Return the chunk that names the role."""
        return event(self._chunk({"role": "assistant", "content": ""}, None))

    def piece(self, delta: str) -> bytes:
        """Return a chunk of text: the same bytes around each."""
        before, after = self._around
        return before + orjson.dumps(delta) + after

    def end(self, reply: ChatReply) -> bytes:
        """Return the calls, the reason, and the counts if they were wished for."""
        calls = [{"index": n, **call} for n, call in enumerate(reply.tool_calls)]
        told = event(self._chunk({"tool_calls": calls}, None)) if calls else b""
        told += event(self._chunk({}, reason(reply)))
        if self._asked.usage:
            told += event(self._head | {"choices": [], "usage": usage(reply)})
        return told + DONE

    def _chunk(self, delta: dict[str, Any], why: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": why}
        chunk = self._head | {"choices": [choice]}
        return chunk | {"usage": None} if self._asked.usage else chunk


def status(error: SovereignError) -> int:
    """Return the status that OpenAI's clients expect for an error."""
    return STATUSES.get(error.code, error.http_status)


def reason(reply: ChatReply) -> str:
    """Return OpenAI's word for why the answer ended."""
    if reply.tool_calls:
        return "tool_calls"
    return "length" if reply.done_reason == "length" else "stop"


def usage(reply: ChatReply) -> dict[str, Any]:
    """Return the counts as the engine told them."""
    total = reply.prompt_tokens + reply.completion_tokens
    return {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": total,
    }


def _head(asked: Asked, request_id: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{request_id}", "object": kind, "created": asked.at}


def _param(field: str | None) -> str | None:
    """Return OpenAI's name of a field; what was found late has our own."""
    return PARAMS.get(field or "", (field or "").removeprefix("options.")) or None


def _error(error: SovereignError) -> dict[str, Any]:
    return {
        "message": error.message,
        "type": KINDS.get(status(error), "server_error"),
        "param": _param(error.field),
        "code": CODES.get(error.code, error.code),
    }
