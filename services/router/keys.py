"""The cache's key: everything that can change an answer, and nothing else."""

from __future__ import annotations

import hashlib

import orjson

from shared.events import ChatRequest
from shared.settings import RouterSettings

VERSION = 3
"""Raise it when the meaning of an entry changes."""


def key(request: ChatRequest, engine: str, identity: str, settings: RouterSettings) -> str:
    """Return SHA-256 (hex) over the JSON of the request as the engine will see it.

    The order inside a schema or a tool counts: models write in the order of a schema's properties
    and read tools as they are told. `identity` is the model's digest, so that a newly pulled model
    finds no old answers.
    """
    options = request.options.model_dump(exclude_none=True)
    options["num_ctx"] = settings.num_ctx
    options["num_predict"] = request.options.max_tokens or settings.max_tokens
    parts = {
        "version": VERSION,
        "tenant": request.tenant,
        "engine": engine,
        "model": [request.model, identity],
        "options": options,
        "format": request.format,
        "tools": request.tools,
        "tool_choice": request.tool_choice,
        "think": request.think,
        "messages": [message.model_dump(exclude_defaults=True) for message in request.messages],
    }
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


def cacheable(request: ChatRequest) -> bool:
    """Tell whether the same request may be answered from what was said before.

    By default only when the answer would be the same anyway: temperature 0, or a seed.
    """
    if request.cache != "auto":
        return request.cache == "always"
    return request.options.temperature == 0 or request.options.seed is not None
