"""Which model answers what, and how well each did."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant


class AliasLine(Body):
    """What a name stands for now (empty: no name); `models` are tried in order."""

    name: str
    models: tuple[str, ...]
    why: str


class QualityLine(Body):
    """One model at one kind of work (an agent's name; empty: all), over the last 30 days.

    `good` is the share of calls that were neither cut nor missed their schema, and of verified
    steps that passed; `surely_good` the lower bound of its 95 % interval (Wilson).
    """

    model: str
    kind: str = ""
    calls: int = 0
    invalid: int = 0
    cut: int = 0
    steps: int = 0
    failed_steps: int = 0
    good: float | None = None
    surely_good: float = 0.0
    mean_s: float | None = None


class PolicyReport(Body):
    """The answer of `model.policy`."""

    aliases: tuple[AliasLine, ...] = ()
    rules: tuple[dict[str, Any], ...] = ()
    fallbacks: dict[str, str] = Field(default_factory=dict)
    clouds: dict[str, str] = Field(default_factory=dict)
    servers: dict[str, str] = Field(default_factory=dict)
    quality: tuple[QualityLine, ...] = ()
    at: Instant = Field(default_factory=now)
