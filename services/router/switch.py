"""Chooses the engine, and watches: it notices when Ollama appears and when it vanishes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from services.router.engine import Engine
from services.router.offline_engine import MODEL, OfflineEngine
from shared.errors import NeedsModel, Refused
from shared.events import EngineStatus
from shared.settings import Settings

log = logging.getLogger(__name__)

SLOW_PROBES = 2
"""So many probes in a row that ran out of time mean that the engine is gone."""


class Switch:
    """`primary` is what the setting names; with `auto`, rules stand in while it is not ready.

    `clouds` are engines of their own, by the name of their one model.
    """

    def __init__(
        self,
        settings: Settings,
        primary: Engine,
        offline: OfflineEngine,
        clouds: Mapping[str, Engine] | None = None,
    ) -> None:
        self.clouds = clouds or {}
        self._auto = settings.engine == "auto"
        self._reprobe_s = settings.router.reprobe_s
        self._lock = asyncio.Lock()
        self._slow = 0
        self.primary = primary
        self.offline = offline
        self.status = EngineStatus(
            engine=primary.name, setting=settings.engine, state="probing", is_llm=primary.is_llm
        )

    async def choose(self, model: str) -> Engine:
        """Return the engine for this model; raise `NeedsModel` when it cannot answer now."""
        if model in self.clouds:
            return self.clouds[model]
        if self.status.state in ("ready", "offline") and not self._stands_in:
            return self.primary
        if self.status.state == "model_missing" and await self.primary.identity(model):
            return self.primary
        if self._stands_in:
            return self.offline
        why = self.status.detail or f"{self.primary.name} is {self.status.state}"
        if self.status.state == "refused":
            raise Refused(why)
        raise NeedsModel(why, retry_after_s=self._reprobe_s)

    async def watch(self) -> None:
        """Probe for ever, every `reprobe_s`; rules by choice need no watching."""
        while self.primary.is_llm:
            await asyncio.sleep(self._reprobe_s)
            await self.probe()

    async def probe(self) -> EngineStatus:
        """Ask the engine how it is, now; log what changed."""
        async with self._lock:
            found = self._patient(await self.primary.probe())
            status = found if self._usable(found) else self._substitute(found)
            self._tell(status)
            self.status = status
            return status

    def info(self) -> dict[str, Any]:
        """Return what every beat says."""
        return {"engine": self.status.model_dump(mode="json")}

    @property
    def _stands_in(self) -> bool:
        """Whether rules answer although a model was wished for."""
        return self.primary.is_llm and not self.status.is_llm

    def _usable(self, found: EngineStatus) -> bool:
        return found.state == "ready" or not self._auto

    def _patient(self, found: EngineStatus) -> EngineStatus:
        """Overlook one slow probe of an engine that was ready: it may be busy, not gone."""
        self._slow = self._slow + 1 if found.state == "probing" else 0
        if found.state != "probing":
            return found
        if self.status.state == "ready" and self._slow < SLOW_PROBES:
            return self.status
        return found.model_copy(update={"state": "absent"})

    def _substitute(self, found: EngineStatus) -> EngineStatus:
        """Return the status while rules stand in: why, and what would change it."""
        state = found.state if found.state in ("model_missing", "refused") else "offline"
        changes = {"engine": "offline", "state": state, "is_llm": False, "model": MODEL, "slots": 0}
        return found.model_copy(update=changes)

    def _tell(self, status: EngineStatus) -> None:
        before = self.status
        if (before.engine, before.state) == (status.engine, status.state):
            return
        detail = f": {status.detail}" if status.detail else ""
        tell = log.info if before.state == "probing" or status.is_llm else log.warning
        tell("engine: %s (%s), model %s%s", status.engine, status.state, status.model, detail)
