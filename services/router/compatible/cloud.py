"""A cloud's model that the owner has named: the same seam, priced, and never on own hosts."""

from __future__ import annotations

from typing import Any

from services.router.compatible.engine import CompatibleEngine
from services.router.compatible.guard import Guard
from services.router.compatible.request import arguments
from services.router.engine import Answer, OnDelta, Vectors
from services.router.prices import Price
from shared.events import ChatRequest, EmbedRequest, EngineStatus
from shared.settings import CloudModel, Settings


class CloudEngine(CompatibleEngine):
    """Chats, or makes vectors, with one model at its vendor, through litellm."""

    name = "cloud"
    own = False

    def __init__(self, settings: Settings, name: str, cloud: CloudModel, price: Price) -> None:
        router = settings.router.model_copy(update={"openai_url": cloud.url or "cloud"})
        super().__init__(settings.model_copy(update={"router": router}))
        self._router = settings.router
        self.url = cloud.url or cloud.model.partition("/")[0]
        self.own = False
        self._host = cloud.model.partition("/")[0]
        self._cloud = cloud
        self._name = name
        self._guard = Guard()
        self.cost = price

    async def probe(self) -> EngineStatus:
        """Tell nothing about the vendor: nothing is sent without a request."""
        return self._status("ready", "")

    async def identity(self, model: str) -> str:
        """Return the vendor's address and name: what the owner's own name stands for may change."""
        return f"{self.url} {self._cloud.model}"

    async def chat(self, request: ChatRequest, on_delta: OnDelta | None) -> Answer:
        """Answer, unless the vendor failed a moment ago."""
        with self._guard.passing(self._name):
            return await super().chat(request, on_delta)

    async def embed(self, request: EmbedRequest) -> Vectors:
        """Return vectors, unless the vendor failed a moment ago."""
        with self._guard.passing(self._name):
            return await super().embed(request)

    def _arguments(self, request: ChatRequest) -> dict[str, Any]:
        if isinstance(request.think, bool):  # vendors know levels alone
            request = request.model_copy(update={"think": None})
        asked = arguments(request, self._cloud.model, self._router)
        return asked | self._access() | {"model": self._cloud.model}

    def _called(self, asked: str) -> str:
        return self._cloud.model

    def _access(self) -> dict[str, Any]:
        key = self._cloud.api_key
        given: dict[str, Any] = {"num_retries": 0, "max_retries": 0}
        given |= {"api_key": key.get_secret_value()} if key else {}
        return given | ({"api_base": self._cloud.url} if self._cloud.url else {})

    def _model(self, asked: str) -> str:
        return self._name

    def _price(self, asked: str) -> Price | None:
        return self.cost
