"""The engine on one Ollama server."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

from services.router import names, tools
from services.router.engine import Answer, OnDelta, Vectors
from services.router.ollama import chat, embed
from services.router.ollama.catalogue import Catalogue
from services.router.ollama.client import OllamaClient
from services.router.ollama.stream import Patience, lines
from services.router.ollama.telling import Telling
from shared.errors import InputTooLong, InvalidInput, Refused, SovereignError, TimedOut
from shared.events import ChatRequest, EmbedRequest, EngineState, EngineStatus
from shared.settings import Settings


class OllamaEngine:
    """Chats and embeds through the native interface; knows which models are really local."""

    name = "ollama"
    is_llm = True

    def __init__(self, settings: Settings, url: str | None = None) -> None:
        self._settings = settings
        self._router = settings.router
        self.url = url or settings.ollama_url
        self.own = names.is_own(self.url)
        self.client = OllamaClient(self.url)
        self.catalogue = Catalogue(self.client)
        self._host = names.host_of(self.url, settings.host)

    async def probe(self) -> EngineStatus:
        """Ask for the version and the models, both within `probe_s`."""
        if not self.own and not self._router.allow_remote:
            why = "is not a host of your own: SOVEREIGN_ROUTER__ALLOW_REMOTE=true allows it"
            return self._status("refused", f"{self.url} {why}")
        try:
            async with asyncio.timeout(self._router.probe_s):
                told = await self.client.get("/api/version", self._router.probe_s)
                await self.catalogue.refresh(self._router.probe_s)
        except (TimeoutError, TimedOut):
            return self._status("probing", f"Ollama at {self.url} is slower than the probe")
        except SovereignError as error:
            return self._status("absent", error.message)
        return await self._default_model(str(told.get("version", "")))

    async def identity(self, model: str) -> str:
        """Return the digest that the server holds under this name."""
        held = self.catalogue.find(model)
        return held.digest if held else ""

    async def chat(self, request: ChatRequest, on_delta: OnDelta | None) -> Answer:
        """Answer; a stream that ends without its last line is no answer."""
        await self._check(request)
        asked = chat.body(request, self._router)
        limit = asked["options"]["num_predict"]
        telling = Telling(request.model, time.monotonic(), self._router.allow_remote, limit)
        patience = Patience(self._router.first_token_s, self._router.idle_s)
        async with (
            patience.keep(),
            self.client.stream("/api/chat", asked) as response,
            aclosing(lines(response)) as told,
        ):
            async for line in told:
                patience.line()
                delta = telling.take(line)
                if delta and on_delta is not None:
                    patience.passing = True
                    await on_delta(delta)
                    patience.passing = False
        return telling.answer(self._host, self.own)

    async def embed(self, request: EmbedRequest) -> Vectors:
        """Return vectors; an input that is too long is refused, not cut."""
        await self._refuse_remote(request.model)
        remote = bool((await self.catalogue.shown(request.model)).remote_host)
        asked = embed.body(request, self._router)
        try:
            told = await self.client.post("/api/embed", asked, request.timeout_s)
        except (InputTooLong, InvalidInput) as error:
            error.field = "input"
            raise
        return embed.vectors(told, request, self._host, remote or not self.own)

    async def close(self) -> None:
        """Close the session."""
        await self.client.close()

    async def _check(self, request: ChatRequest) -> None:
        """Refuse what is not local and what this model cannot take."""
        skills = await self._refuse_remote(request.model)
        pictures = any(message.images for message in request.messages)
        if pictures and skills and "vision" not in skills:
            raise InvalidInput(f"{request.model} takes no images", field="messages.images")
        if tools.offered(request) and skills and "tools" not in skills:
            raise InvalidInput(f"{request.model} does not support tools", field="tools")

    async def _refuse_remote(self, model: str) -> tuple[str, ...]:
        """Return the model's capabilities; raise for one that a foreign host would answer.

        Ollama asks the cloud even for what it tells of a cloud's name, so that is refused first.
        """
        names.refuse_cloud(model, self._router)
        shown = await self.catalogue.shown(model)
        if shown.remote_host and not self._router.allow_remote:
            raise names.leaves(model, shown.remote_host)
        return shown.capabilities

    async def _default_model(self, version: str) -> EngineStatus:
        model = names.resolve("", self._router)
        try:
            names.refuse_cloud(model, self._router)
            held = self.catalogue.find(model)
            if held is None:
                return self._status("model_missing", self._hint(model), version)
            if held.remote_host and not self._router.allow_remote:
                raise names.leaves(model, held.remote_host)
        except Refused as error:
            return self._status("refused", error.message, version)
        return self._status("ready", "", version)

    def _hint(self, model: str) -> str:
        """Say what is missing and what to do; never done without being asked."""
        held = ", ".join(found.name for found in self.catalogue.models[:5]) or "no model"
        return (
            f"Ollama at {self.url} holds {held}, not {model}:"
            f" `ollama pull {model}`, or name another in SOVEREIGN_ROUTER__MODEL"
        )

    def _status(self, state: EngineState, detail: str, version: str = "") -> EngineStatus:
        return EngineStatus(
            engine=self.name,
            setting=self._settings.engine,
            state=state,
            is_llm=True,
            model=names.resolve("", self._router),
            url=self.url,
            detail=detail,
            slots=self._router.slots,
            version=version,
        )
