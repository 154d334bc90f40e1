"""A model on one of the owner's own OpenAI-compatible servers, beside the engine: the same seam."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.router import names
from services.router.compatible.engine import CompatibleEngine
from services.router.compatible.guard import Guard
from services.router.compatible.request import arguments
from services.router.engine import Answer, OnDelta, Vectors
from services.router.slots import Slots
from shared.errors import InvalidSetting
from shared.events import ChatRequest, EmbedRequest, EngineStatus
from shared.settings import ModelServer, Settings

SETTING = "SOVEREIGN_ROUTER__SERVERS"


class ServerEngine(CompatibleEngine):
    """Chats, or makes vectors, with one model of one server, at most `slots` at a time."""

    def __init__(self, settings: Settings, name: str, server: ModelServer) -> None:
        if not (names.is_own(server.url) or settings.router.allow_remote):
            line = f"{SETTING}: {server.url} ({name}) is not a host of your own: it is a cloud"
            raise InvalidSetting(line, field=SETTING)
        router = settings.router.model_copy(update={"openai_url": server.url})
        super().__init__(settings.model_copy(update={"router": router}))
        self._router = settings.router
        self._server = server
        self._name = name
        self._guard = Guard()
        self._slots = Slots(server.slots or settings.router.slots, settings.router.queue)

    async def probe(self) -> EngineStatus:
        """Tell nothing: a server that is not there shows when it is asked."""
        return self._status("ready", "")

    async def identity(self, model: str) -> str:
        """Return the server and its name for the model, since these servers tell no digest."""
        return f"{self.url} {self._server.model}"

    async def chat(self, request: ChatRequest, on_delta: OnDelta | None) -> Answer:
        """Answer when there is a place; `queue_s` is the time without one."""
        async with self._slots.hold(request.priority) as waited_s:
            with self._guard.passing(self._name):
                return replace(await super().chat(request, on_delta), queue_s=waited_s)

    async def embed(self, request: EmbedRequest) -> Vectors:
        """Return vectors when there is a place."""
        async with self._slots.hold("normal") as waited_s:
            with self._guard.passing(self._name):
                return replace(await super().embed(request), queue_s=waited_s)

    def _arguments(self, request: ChatRequest) -> dict[str, Any]:
        return arguments(request, self._server.model, self._router) | self._access()

    def _called(self, asked: str) -> str:
        return f"openai/{self._server.model}"

    def _access(self) -> dict[str, Any]:
        key = self._server.api_key
        return super()._access() | {"api_key": key.get_secret_value() if key else "none"}

    def _model(self, asked: str) -> str:
        return self._name
