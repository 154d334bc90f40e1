"""What a dialect made of one HTTP body: a chat request, and how its asker wants it answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.router.door.wishes import HEADERS
from shared.bus import invalid
from shared.clock import now
from shared.errors import InvalidInput, SovereignError
from shared.events import ChatReply, ChatRequest


class Given(BaseModel):
    """A part of a foreign body. Fields without a word here are the vendor's own affair."""

    model_config = ConfigDict(extra="ignore", frozen=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """`name` is the model as the caller wrote it; `usage` and `thoughts` are wishes of streams."""

    request: ChatRequest
    name: str
    usage: bool = False
    thoughts: bool = True
    at: int = field(default_factory=lambda: int(now().timestamp()))


class Story(Protocol):
    """Makes the events of one streamed answer."""

    def begin(self) -> bytes:
        """Return what comes before the first piece."""
        ...

    def piece(self, delta: str) -> bytes:
        """Return the event of one piece of text."""
        ...

    def end(self, reply: ChatReply) -> bytes:
        """Return all that is left to say."""
        ...


class Dialect(Protocol):
    """One vendor's language."""

    def read(self, data: bytes, known: dict[str, Any]) -> Asked:
        """Return what is asked; raise `InvalidInput` that names the field as the vendor does.

        `known` are fields of the chat request that the body does not tell.
        """
        ...

    def whole(self, asked: Asked, reply: ChatReply) -> bytes:
        """Return the body of a whole answer."""
        ...

    def story(self, asked: Asked) -> Story:
        """Return the teller of a streamed answer."""
        ...

    def refusal(self, error: SovereignError, request_id: str) -> tuple[int, bytes]:
        """Return status and body of an error."""
        ...

    def broken(self, error: SovereignError, request_id: str) -> bytes:
        """Return the event that ends a stream which went wrong."""
        ...


def parsed(data: bytes) -> dict[str, Any]:
    """Return the JSON object of a body."""
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise InvalidInput("the body must be a JSON object")
    return body


def made(fields: dict[str, Any], renamed: dict[str, str]) -> ChatRequest:
    """Return the chat request; what is wrong is told with the vendor's name of the field."""
    try:
        return ChatRequest.model_validate(fields)
    except ValidationError as error:
        wrong = invalid(error)
    field = wrong.field or "body"
    known = field.removeprefix("options.")
    first, dot, rest = known.partition(".")
    told = HEADERS.get(first) or renamed.get(first, first) + dot + rest
    raise InvalidInput(wrong.message.replace(field, told, 1), field=told)


def picture(url: str, field: str) -> str:
    """Return the base64 text of a data URL; other addresses are never fetched."""
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        line = f"{field}: only data:…;base64 URLs; this door fetches nothing from elsewhere"
        raise InvalidInput(line, field=field)
    return data


def event(body: Any, name: str = "") -> bytes:
    """Return one server-sent event."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + orjson.dumps(body) + b"\n\n"
