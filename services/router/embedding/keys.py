"""The key of a vector: everything that can change it, and nothing else."""

from __future__ import annotations

import hashlib

import orjson

from shared.events import EmbedRequest

VERSION = 1
"""Raise it when the meaning of an entry changes."""


def keys(request: EmbedRequest, engine: str, identity: str) -> list[bytes]:
    """Return SHA-256 for each text: over the canonical JSON of what they share, then the text.

    `identity` is the model's digest, so that a newly pulled model finds no old vectors.
    """
    parts = {
        "version": VERSION,
        "tenant": request.tenant,
        "engine": engine,
        "model": [request.model, identity],
        "dimensions": request.dimensions,
    }
    shared = hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS))
    shared.update(b"\0")  # never within JSON, so no text runs into what is before it
    return [_with(shared.copy(), text) for text in request.input]


def _with(begun: hashlib._Hash, text: str) -> bytes:
    begun.update(text.encode("utf-8", "surrogatepass"))
    return begun.digest()
