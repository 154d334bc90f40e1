"""Heartbeats: sent by the event loop itself, so that a wedged loop falls silent."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant
from shared.subjects import Token

BeatState = Literal["starting", "ready", "draining", "goodbye"]


class Beat(Body):
    """One beat a second. `boot` changes with every start; `goodbye` is the last of a planned stop.

    `loop_lag_s` is how late the loop ran its timer; `rss_bytes` the resident memory;
    `cpu_s` the processor time used since the start; `rss_cap_bytes` the memory that it may use,
    0 without a cap. Of its requests since the start: how many, `faults` of its own,
    `upstream_faults` of what it leans on, `busy_s` seconds spent on them; `refusing_s` is how long
    it will still refuse them, its circuit being open.
    """

    service: Token
    instance: Token
    host: Token
    boot: str
    pid: int
    seq: int = Field(ge=0)
    state: BeatState
    interval_s: float = 1.0
    uptime_s: float = 0.0
    loop_lag_s: float = 0.0
    rss_bytes: int = 0
    cpu_s: float = 0.0
    rss_cap_bytes: int = 0
    requests: int = 0
    faults: int = 0
    upstream_faults: int = 0
    busy_s: float = 0.0
    refusing_s: float = 0.0
    version: str = ""
    supervised: bool = False
    info: dict[str, Any] = Field(default_factory=dict)
    at: Instant = Field(default_factory=now)
