"""The event loop that every request of the router runs on."""

from __future__ import annotations

import importlib
from asyncio import AbstractEventLoop
from collections.abc import Callable


def fastest() -> Callable[[], AbstractEventLoop] | None:
    """Return what makes uvloop's loop, None where it is not installed (Windows): asyncio's then."""
    try:
        made: Callable[[], AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    except ModuleNotFoundError:
        return None
    return made
