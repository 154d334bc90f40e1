"""What the routers' beats tell: is a model there, how many slots, and is my router still alive."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from pydantic import ValidationError

from shared.events.health import Beat
from shared.events.models import EngineStatus

SILENT_S = 5.0
"""A router that has not beaten for so long is taken for gone."""


@dataclass(frozen=True)
class _Router:
    boot: str
    heard: float
    status: EngineStatus | None


class Routers:
    """The routers that beat. `changed` is set when the engine may answer something new."""

    def __init__(self) -> None:
        self._known: dict[str, _Router] = {}
        self.changed = asyncio.Event()

    def hear(self, beat: Beat) -> None:
        """Take one beat of a router."""
        before = self.model_ready
        if beat.state == "goodbye":
            self._known.pop(beat.instance, None)
        else:
            status = _status(beat)
            self._known[beat.instance] = _Router(beat.boot, time.monotonic(), status)
        if self.model_ready and not before:
            self.changed.set()

    @property
    def model_ready(self) -> bool:
        """Tell whether a language model answers on any router."""
        return any(s.is_llm and s.state == "ready" for s in self._statuses())

    @property
    def slots(self) -> int:
        """Return the model calls that all routers together run at the same time."""
        return sum(status.slots for status in self._statuses())

    def boots(self) -> frozenset[str]:
        """Return the boots of the routers that are alive now."""
        return frozenset(router.boot for router in self._alive())

    def _alive(self) -> list[_Router]:
        limit = time.monotonic() - SILENT_S
        return [router for router in self._known.values() if router.heard >= limit]

    def _statuses(self) -> list[EngineStatus]:
        return [router.status for router in self._alive() if router.status is not None]


def _status(beat: Beat) -> EngineStatus | None:
    """Return the engine's status in a beat; a beat without one, or with a wrong one, has none."""
    try:
        return EngineStatus.model_validate(beat.info.get("engine"))
    except ValidationError:
        return None
