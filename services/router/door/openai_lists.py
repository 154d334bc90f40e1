"""Embeddings and the list of models, in OpenAI's shape; Anthropic's fields stand beside."""

from __future__ import annotations

import base64
import struct
from typing import Any, Literal

import orjson
from pydantic import Field, ValidationError

from services.router.door.asked import Given, parsed
from shared.bus import invalid
from shared.errors import InvalidInput, ModelMissing
from shared.events import EmbedReply, EmbedRequest, ModelInfo

EPOCH = "1970-01-01T00:00:00Z"
"""When a model was made is unknown here; both languages want a date."""


class Embedding(Given):
    """The body of `POST /v1/embeddings`."""

    model: str = Field(min_length=1, max_length=200)
    input: str | tuple[str, ...] | tuple[int, ...] | tuple[tuple[int, ...], ...]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = Field(default=None, ge=1, le=65_536)


def read(data: bytes, known: dict[str, Any]) -> tuple[EmbedRequest, bool]:
    """Return the request, and whether the vectors are wanted in base64.

    `known` are fields of the request that the body does not tell.
    """
    try:
        given = Embedding.model_validate(parsed(data))
        texts = (given.input,) if isinstance(given.input, str) else given.input
        if not all(isinstance(text, str) for text in texts):
            raise InvalidInput("input: text only; tokens differ from model to model", field="input")
        told = {"model": given.model, "input": texts, "dimensions": given.dimensions}
        asked = EmbedRequest.model_validate(told | known)
    except ValidationError as error:
        raise invalid(error) from None
    return asked, given.encoding_format == "base64"


def embeddings(reply: EmbedReply, packed: bool) -> bytes:
    """Return the list of vectors; packed ones are base64 of little-endian 32-bit floats."""
    data = [
        {"object": "embedding", "index": n, "embedding": _packed(vector) if packed else vector}
        for n, vector in enumerate(reply.embeddings)
    ]
    usage = {"prompt_tokens": reply.prompt_tokens, "total_tokens": reply.prompt_tokens}
    return orjson.dumps({"object": "list", "data": data, "model": reply.model, "usage": usage})


def models(held: list[ModelInfo]) -> bytes:
    """Return the models that may be asked."""
    data = [_described(model) for model in held]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
    return orjson.dumps({"object": "list", "data": data, "has_more": False, **ends})


def model(held: list[ModelInfo], name: str) -> bytes:
    """Return one model; raise `ModelMissing`."""
    found = next((each for each in held if each.name in (name, f"{name}:latest")), None)
    if found is None:
        raise ModelMissing(f"there is no model {name[:200]}", field="model")
    return orjson.dumps(_described(found))


def _described(model: ModelInfo) -> dict[str, Any]:
    return {
        "id": model.name,
        "object": "model",
        "created": 0,
        "owned_by": "sovereign",
        "type": "model",
        "display_name": model.name,
        "created_at": EPOCH,
    }


def _packed(vector: tuple[float, ...]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
