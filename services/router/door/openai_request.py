"""Chat completions as OpenAI's clients ask for them, made into our own request.

The rule for options: what would change the answer and cannot be done is refused by its name; what
only the vendor's own service knows (`user`, `metadata`, `store`, `service_tier`, …) is ignored.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationError

from services.router.door.asked import Asked, Given, made, parsed, picture
from shared.bus import invalid
from shared.errors import InvalidInput

REFUSED = (
    "logprobs", "top_logprobs", "logit_bias", "audio", "functions", "function_call",
    "web_search_options", "prediction",
)  # fmt: skip
RENAMED = {
    "format": "response_format",
    "max_tokens": "max_completion_tokens",
    "think": "reasoning_effort",
}
EFFORTS: dict[str, bool | str] = {"none": False, "minimal": False, "xhigh": "high", "max": "high"}


class Part(Given):
    """A piece of a turn's content."""

    type: str
    text: str = ""
    refusal: str = ""
    image_url: dict[str, Any] = Field(default_factory=dict)


class Turn(Given):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | tuple[Part, ...] | None = None
    tool_calls: tuple[dict[str, Any], ...] | None = None
    tool_call_id: str | None = None


class Completion(Given):
    """The body of `POST /v1/chat/completions`."""

    model: str = Field(min_length=1, max_length=200)
    messages: tuple[Turn, ...] = Field(min_length=1)
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    n: int | None = None
    modalities: tuple[str, ...] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    stop: str | tuple[str, ...] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    reasoning_effort: str | None = None
    response_format: dict[str, Any] | None = None
    tools: tuple[dict[str, Any], ...] | None = None
    tool_choice: str | dict[str, Any] | None = None


SAMPLING = (
    "temperature", "top_p", "top_k", "min_p", "seed", "presence_penalty", "frequency_penalty",
)  # fmt: skip


def read(data: bytes, known: dict[str, Any], most: int) -> Asked:
    """Return what is asked; without a limit of its own the answer may have `most` tokens."""
    body = parsed(data)
    for name in REFUSED:
        if body.get(name):
            raise InvalidInput(f"{name}: cannot be done by this router", field=name)
    try:
        given = Completion.model_validate(body)
    except ValidationError as error:
        raise invalid(error) from None
    _check(given)
    fields = {
        "messages": [_turn(turn, f"messages.{n}") for n, turn in enumerate(given.messages)],
        "model": given.model,
        "options": _options(given, most),
        "format": _format(given.response_format or {}),
        "tools": given.tools or (),
        "tool_choice": _choice(given.tool_choice),
        "think": EFFORTS.get(given.reasoning_effort or "", given.reasoning_effort),
        "stream": bool(given.stream),
    }
    usage = bool((given.stream_options or {}).get("include_usage"))
    old = given.max_tokens is not None and given.max_completion_tokens is None
    renamed = RENAMED | {"max_tokens": "max_tokens"} if old else RENAMED
    return Asked(made(fields | known, renamed), given.model, usage)


def _check(given: Completion) -> None:
    if given.n not in (None, 1):
        raise InvalidInput("n: one answer at a time", field="n")
    if given.modalities not in (None, ("text",)):
        raise InvalidInput("modalities: text only", field="modalities")
    both = (given.max_tokens, given.max_completion_tokens)
    if None not in both and both[0] != both[1]:
        line = "max_tokens: contradicts max_completion_tokens; the former is deprecated"
        raise InvalidInput(line, field="max_tokens")
    if given.stream_options and not given.stream:
        raise InvalidInput("stream_options: only with stream", field="stream_options")


def _options(given: Completion, most: int) -> dict[str, Any]:
    made = {name: getattr(given, name) for name in SAMPLING}
    limit = given.max_completion_tokens
    limit = given.max_tokens if limit is None else limit
    stop = (given.stop,) if isinstance(given.stop, str) else given.stop or ()
    return made | {"max_tokens": most if limit is None else limit, "stop": stop}


def _format(wanted: dict[str, Any]) -> Any:
    kind = wanted.get("type", "text")
    if kind == "text":
        return None
    if kind == "json_object":
        return "json"
    found = (wanted.get("json_schema") or {}).get("schema") if kind == "json_schema" else None
    if not isinstance(found, dict):
        line = "response_format: text, json_object, or json_schema with its json_schema.schema"
        raise InvalidInput(line, field="response_format")
    return found


def _choice(given: str | dict[str, Any] | None) -> str:
    if given is None or isinstance(given, str):
        return given or "auto"
    name = (given.get("function") or {}).get("name")
    if given.get("type") != "function" or not isinstance(name, str):
        line = "tool_choice: none, auto, required, or one function by its name"
        raise InvalidInput(line, field="tool_choice")
    return name


def _turn(turn: Turn, field: str) -> dict[str, Any]:
    texts, images = _content(turn, field)
    role = "system" if turn.role == "developer" else turn.role
    made: dict[str, Any] = {"role": role, "content": texts, "images": images}
    if turn.tool_calls:
        made["tool_calls"] = turn.tool_calls
    if turn.tool_call_id:
        made["tool_call_id"] = turn.tool_call_id
    return made


def _content(turn: Turn, field: str) -> tuple[str, list[str]]:
    """Return the text and the pictures of a turn."""
    if turn.content is None or isinstance(turn.content, str):
        return turn.content or "", []
    texts, images = [], []
    for number, part in enumerate(turn.content):
        where = f"{field}.content.{number}"
        if part.type in ("text", "refusal"):
            texts.append(part.text or part.refusal)
        elif part.type == "image_url":
            images.append(picture(str(part.image_url.get("url", "")), f"{where}.image_url"))
        else:
            raise InvalidInput(f"{where}.type: {part.type[:40]} cannot be read", field=where)
    return "\n".join(texts), images
