"""The hosts that answer model requests."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant
from shared.events.models import EngineState


class HostInfo(Body):
    """One Ollama host of the pool.

    `slots` requests of one model run at a time, `busy` run now over all models. `loaded` models
    are in its memory; `seconds` is the moving average of an answer, by model. `circuit` is
    `closed` (in use), `open` (left alone after failures) or `half_open` (the next one is a trial).
    """

    name: str
    url: str
    state: EngineState
    circuit: Literal["closed", "open", "half_open"] = "closed"
    slots: int = 1
    weight: float = 1.0
    busy: int = 0
    calls: int = 0
    failures: int = 0
    models: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()
    seconds: dict[str, float] = Field(default_factory=dict)
    version: str = ""
    detail: str = ""


class HostList(Body):
    """The answer of `model.hosts`; `waiting` requests have no place yet."""

    hosts: tuple[HostInfo, ...] = ()
    waiting: int = 0
    queue: int = 0
    at: Instant = Field(default_factory=now)
