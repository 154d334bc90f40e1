"""Imports litellm in a thread on first use: it takes seconds and 150 MB, so nobody else pays."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import sys
from types import ModuleType
from typing import Any

LOCAL_TABLE = "LITELLM_LOCAL_MODEL_COST_MAP"
"""Unset, litellm fetches its price table from GitHub while it is imported."""

LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")

CONNECT_S = 5.0
"""A host that answers nothing at all, not even that nobody listens, is given up after so long."""

_lock = asyncio.Lock()


async def load() -> ModuleType:
    """Return litellm, told to send nothing and to keep nothing."""
    async with _lock:
        return await asyncio.to_thread(_load)


async def close() -> None:
    """Close the connections that litellm keeps, if it was ever loaded."""
    litellm = sys.modules.get("litellm")
    if litellm is not None:
        await litellm.close_litellm_async_clients()
        litellm.in_memory_llm_clients_cache.flush_cache()


def patience(seconds: float) -> Any:
    """Return the time-outs of a call: `seconds` for each part of the answer, less to connect."""
    httpx = importlib.import_module("httpx")  # litellm has it
    return httpx.Timeout(seconds, connect=min(seconds, CONNECT_S))


def _load() -> ModuleType:
    os.environ[LOCAL_TABLE] = "True"
    litellm = importlib.import_module("litellm")
    litellm.telemetry = False  # type: ignore[attr-defined]
    litellm.suppress_debug_info = True  # type: ignore[attr-defined]
    litellm.cache = None  # type: ignore[attr-defined]
    for name in LOGGERS:
        _quiet(logging.getLogger(name))
    return litellm


def _quiet(logger: logging.Logger) -> None:
    """Leave it to our log to write what matters, once: litellm tells every call, twice."""
    logger.handlers.clear()
    logger.setLevel(logging.WARNING)
