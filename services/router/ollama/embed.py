"""What Ollama is asked for vectors, and what it tells."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from services.router.engine import Vectors, packed
from services.router.ollama.chat import keep_alive
from services.router.ollama.telling import MOST_TOKENS, count, seconds
from shared.errors import EngineFailed, InvalidInput
from shared.events import EmbedRequest
from shared.settings import RouterSettings


def body(request: EmbedRequest, settings: RouterSettings) -> dict[str, Any]:
    """Return the body of `POST /api/embed`."""
    asked: dict[str, Any] = {
        "model": request.model,
        "input": list(request.input),
        "truncate": False,
        "keep_alive": keep_alive(settings.keep_alive),
    }
    return asked if request.dimensions is None else asked | {"dimensions": request.dimensions}


def vectors(told: dict[str, Any], request: EmbedRequest, host: str, remote: bool) -> Vectors:
    """Return what was told; raise `EngineFailed` unless it is complete.

    What a `remote` model costs is not known here.
    """
    found = told.get("embeddings")
    if not isinstance(found, list):
        raise EngineFailed("Ollama sent no vectors")
    made = packed(found, len(request.input), "Ollama")
    if request.dimensions is not None and len(found[0]) != request.dimensions:
        line = f"dimensions: {request.model} has {len(found[0])} and no more"
        raise InvalidInput(line, field="dimensions")
    return Vectors(
        embeddings=made,
        model=request.model,
        prompt_tokens=count(told, "prompt_eval_count", MOST_TOKENS),
        load_s=seconds(told, "load_duration"),
        cost_usd=None if remote else Decimal(0),
        host=host,
        own_host=not remote,
    )
