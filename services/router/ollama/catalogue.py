"""What the Ollama server holds: names, digests, and which of them are not local at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.router.names import canonical
from services.router.ollama.client import OllamaClient
from shared.errors import SovereignError
from shared.events import ModelInfo

SHOW_S = 10.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What `/api/show` told: an empty `remote_host` is local; no capabilities means unknown."""

    remote_host: str
    capabilities: tuple[str, ...]


class Catalogue:
    """The models as of the last probe."""

    def __init__(self, client: OllamaClient) -> None:
        self._client = client
        self._held: dict[str, ModelInfo] = {}
        self._shown: dict[tuple[str, str], Shown] = {}

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """All models, by name."""
        return tuple(self._held[name] for name in sorted(self._held))

    async def refresh(self, timeout_s: float) -> None:
        """Read `/api/tags` anew."""
        told = await self._client.get("/api/tags", timeout_s)
        found = [_model(entry) for entry in told.get("models") or ()]
        self._held = {canonical(model.name): model for model in found}

    def find(self, name: str) -> ModelInfo | None:
        """Return the model under this name, with or without its tag."""
        return self._held.get(canonical(name))

    async def shown(self, name: str) -> Shown:
        """Return what the server tells of a model; asked once for each digest that it lists."""
        held = self.find(name)
        if held is None:
            return await self._show(name, None)
        key = (canonical(name), held.digest)
        if key not in self._shown:
            self._shown[key] = await self._show(name, held)
        return self._shown[key]

    async def _show(self, name: str, held: ModelInfo | None) -> Shown:
        told = await self._client.post("/api/show", {"model": name}, SHOW_S)
        remote = told.get("remote_host") or (held.remote_host if held else None)
        return Shown(str(remote or ""), tuple(told.get("capabilities") or ()))

    async def cloud_disabled(self, timeout_s: float) -> bool | None:
        """Tell what `/api/status` says of Ollama's cloud; None when it says nothing."""
        try:
            told = await self._client.get("/api/status", timeout_s)
        except SovereignError:
            return None
        disabled = (told.get("cloud") or {}).get("disabled")
        return disabled if isinstance(disabled, bool) else None


def _model(entry: dict[str, Any]) -> ModelInfo:
    remote = entry.get("remote_host") or entry.get("remote_model")
    return ModelInfo(
        name=entry.get("name") or entry.get("model") or "",
        size=entry.get("size"),
        digest=entry.get("digest") or "",
        details=entry.get("details") or {},
        remote_host=str(remote) if remote else None,
    )
