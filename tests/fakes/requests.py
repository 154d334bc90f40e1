"""How the fake reads requests: what it refuses, with the words of the real server."""

import re
from typing import Any

import orjson
from aiohttp import web

WHOLE = ("num_ctx", "num_predict", "seed", "top_k", "num_keep")


class Malformed(Exception):
    """A refusal before the first byte: the real status and the real words."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


async def read_body(request: web.Request) -> dict[str, Any]:
    raw = await request.read()
    if not raw:
        raise Malformed("missing request body", 400)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"invalid character in body: {error}", 400) from None
    if not isinstance(body, dict):
        raise Malformed("json: cannot unmarshal into Go value of type api.ChatRequest", 400)
    return body


def chat_problem(body: dict[str, Any]) -> Malformed | None:
    """Return what the real server would refuse, before it generates."""
    return _format(body) or _options(body) or _skills(body) or _length(body)


def _format(body: dict[str, Any]) -> Malformed | None:
    given = body.get("format")
    if given in (None, "", "json") or isinstance(given, dict):
        return None
    words = 'expected "json" or a valid JSON Schema object'
    return Malformed(f"invalid format: {orjson.dumps(given).decode()}; {words}", 500)


def _options(body: dict[str, Any]) -> Malformed | None:
    for name in WHOLE:
        value = (body.get("options") or {}).get(name, 0)
        if not isinstance(value, int):
            return Malformed(f'option "{name}" must be of type integer', 500)
    return None


def _skills(body: dict[str, Any]) -> Malformed | None:
    name = body["model"]
    if body.get("tools") and name.startswith("notools"):
        return Malformed(f"registry.ollama.ai/library/{name} does not support tools", 400)
    if body.get("think") and not name.startswith("thinker"):
        return Malformed(f'"{name}" does not support thinking', 400)
    return None


def _length(body: dict[str, Any]) -> Malformed | None:
    context = (body.get("options") or {}).get("num_ctx", 4096)
    if body.get("truncate", True) is False and prompt_tokens(body) > context:
        return Malformed(
            "the prompt is longer than the context length currently available;"
            f" prompt is {prompt_tokens(body)} tokens, context is {context}",
            400,
        )
    return None


def prompt_tokens(body: dict[str, Any]) -> int:
    text = " ".join(m.get("content") or "" for m in body.get("messages", []))
    return max(len(re.findall(r"\w+|[^\w\s]", text)), 1)
