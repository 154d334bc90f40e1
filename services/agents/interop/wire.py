"""What goes over the wire: prompts in, typed chunks out. Pure.

Section numbers are those of the protocol's text, version 0.3:
https://github.com/synadia-ai/synadia-agent-sdk-docs/blob/main/core-protocol.md
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.bus import invalid
from shared.errors import InvalidInput
from shared.events.tasks import Attachment, TaskRequest
from shared.ids import ulid
from shared.subjects import TOKEN_PATTERN

PROTOCOL = "0.3"
TITLE_CHARS = 200
END = b""
"""The last chunk of every stream: no body and no headers (6.5)."""
_NOT_OWNER = re.compile(r"[^a-z0-9_-]+")


class File(BaseModel):
    """One attachment (5.2): bytes in standard base64."""

    model_config = ConfigDict(extra="ignore")

    filename: str = Field(min_length=1, max_length=255)
    content: str


class Prompt(BaseModel):
    """A request (5.1); unknown fields are tolerated (5.6)."""

    model_config = ConfigDict(extra="ignore")

    prompt: str = Field(min_length=1, max_length=1_000_000)
    attachments: list[File] | None = None


def read_prompt(data: bytes) -> Prompt:
    """Return the prompt of a payload: JSON when it begins with a brace, else plain text (5.3).

    Raises `InvalidInput` naming the field.
    """
    try:
        if data.lstrip(b" \t\r\n").startswith(b"{"):
            return Prompt.model_validate_json(data)
        return Prompt(prompt=data.decode())
    except UnicodeDecodeError as error:
        raise InvalidInput("prompt: neither JSON nor UTF-8 text", field="prompt") from error
    except ValidationError as error:
        raise invalid(error) from None


def task_of(prompt: Prompt, agent: str | None, wanted_id: str | None = None) -> TaskRequest:
    """Return the task that a prompt asks for; its first line is the title.

    `wanted_id` makes a repeated prompt the same task, where it is a token.
    """
    text = prompt.prompt.strip()
    first, _, rest = text.partition("\n")
    short = len(first) <= TITLE_CHARS
    given = {
        "title": first if short else f"{first[: TITLE_CHARS - 1]}…",
        "description": rest.strip() if short else text,
        "task_id": wanted_id if re.fullmatch(TOKEN_PATTERN, wanted_id or "") else ulid(),
        "agent": agent,
    }
    try:
        files = tuple(
            Attachment(name=file.filename, base64=file.content, media_type="text/plain")
            for file in prompt.attachments or ()
        )
        return TaskRequest.model_validate({**given, "attachments": files})
    except ValidationError as error:
        raise invalid(error) from None


def status(word: str) -> bytes:
    """Return a status chunk (6.4); callers pass over words that they do not know."""
    return orjson.dumps({"type": "status", "data": word})


def response(text: str) -> bytes:
    """Return a chunk of the answer (6.3)."""
    return orjson.dumps({"type": "response", "data": text})


def owner_token(host: str) -> str:
    """Return a host's name as the owner token of a subject: lower case, no dots (2)."""
    return _NOT_OWNER.sub("-", host.lower()).strip("-")[:64] or "host"


def heartbeat(identity: dict[str, str], at: datetime, interval_s: int) -> bytes:
    """Return the payload of a heartbeat and of the `status` endpoint (8.3)."""
    body: dict[str, Any] = {
        **identity,
        "ts": at.isoformat().replace("+00:00", "Z"),
        "interval_s": interval_s,
        "protocol_version": PROTOCOL,
    }
    return orjson.dumps(body)
