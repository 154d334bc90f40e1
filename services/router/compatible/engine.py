"""The engine on one OpenAI-compatible server (vLLM, llama-server, LM Studio, an allowed cloud)."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

import aiohttp

from services.router import names, prices
from services.router.compatible import library
from services.router.compatible.errors import translate
from services.router.compatible.request import arguments
from services.router.compatible.telling import Telling, cost
from services.router.engine import Answer, OnDelta, Vectors, packed
from services.router.prices import Price
from shared.errors import EngineFailed, InvalidSetting, SovereignError, TimedOut
from shared.events import ChatRequest, EmbedRequest, EngineState, EngineStatus
from shared.settings import Settings


class CompatibleEngine:
    """Chats and embeds at `openai_url`; another host than one's own needs `allow_remote`."""

    name = "openai"
    is_llm = True

    def __init__(self, settings: Settings) -> None:
        if not settings.router.openai_url:
            line = "SOVEREIGN_ROUTER__OPENAI_URL: engine openai needs the address of a server"
            raise InvalidSetting(line, field="SOVEREIGN_ROUTER__OPENAI_URL")
        self._settings = settings
        self._router = settings.router
        self.url = settings.router.openai_url.rstrip("/")
        self.own = names.is_own(self.url)
        self._host = names.host_of(self.url, settings.host)
        self._prices: dict[str, Price | None] = {}
        self._held: list[str] = []

    async def probe(self) -> EngineStatus:
        """Ask for the models; litellm is not needed for that."""
        if not self.own and not self._router.allow_remote:
            why = "is not a host of your own: SOVEREIGN_ROUTER__ALLOW_REMOTE=true allows it"
            return self._status("refused", f"{self.url} {why}")
        try:
            held = self._held = await self._models()
        except TimeoutError:
            return self._status("probing", f"{self.url} is slower than the probe")
        except (aiohttp.ClientError, ValueError) as error:
            return self._status("absent", f"{self.url}: {error}"[:300])
        model = self._model("")
        if model and held and model not in held:
            return self._status("model_missing", f"{self.url} holds {', '.join(held[:5])}")
        return self._status("ready", "")

    async def identity(self, model: str) -> str:
        """Return the server and its name for the model, since these servers tell no digest; ''
        for a model that is not among those that it lists."""
        name = self._model(model)
        return "" if self._held and name not in self._held else f"{self.url} {name}"

    async def chat(self, request: ChatRequest, on_delta: OnDelta | None) -> Answer:
        """Answer; always streamed upstream, so that a cancelled request ends there too."""
        litellm = await library.load()
        telling = Telling(self._model(request.model), time.monotonic())
        stream: Any = None
        try:
            async with asyncio.timeout(self._router.first_token_s) as limit:
                given = self._arguments(request)
                given["timeout"] = library.patience(given["timeout"])
                stream = await litellm.acompletion(**given)
                async for chunk in stream:
                    limit.reschedule(asyncio.get_running_loop().time() + self._router.idle_s)
                    delta = telling.take(chunk)
                    if delta and on_delta is not None:
                        await on_delta(delta)
            telling.ended(stream)
        except TimeoutError:
            raise TimedOut(f"{self.url} gave no token in time") from None
        except SovereignError:
            raise
        except Exception as error:
            raise translate(error) from error
        finally:
            if stream is not None:
                await stream.aclose()
        return telling.answer(self._host, self.own, self._price(request.model))

    async def embed(self, request: EmbedRequest) -> Vectors:
        """Return vectors, made unit vectors if they are not."""
        litellm = await library.load()
        given: dict[str, Any] = self._access()
        given |= {"model": self._called(request.model), "input": list(request.input)}
        if request.dimensions is not None:
            given["dimensions"] = request.dimensions
        try:
            told = await litellm.aembedding(**given, timeout=request.timeout_s)
            found = [_unit(entry["embedding"]) for entry in told.data]
        except (KeyError, TypeError) as error:
            raise EngineFailed(f"{self.url} returned no vectors") from error
        except Exception as error:
            raise translate(error) from error
        count = int(getattr(told.usage, "prompt_tokens", 0) or 0)
        return Vectors(
            embeddings=packed(found, len(request.input), self.url),
            model=request.model,
            prompt_tokens=count,
            cost_usd=cost(self.own, self._price(request.model), (count, 0), 0),
            host=self._host,
            own_host=self.own,
        )

    async def close(self) -> None:
        """Close what litellm keeps open between calls."""
        await library.close()

    def _arguments(self, request: ChatRequest) -> dict[str, Any]:
        return arguments(request, self._model(request.model), self._router) | self._access()

    def _called(self, asked: str) -> str:
        """Return what litellm calls the model."""
        return f"openai/{asked}"

    def _access(self) -> dict[str, Any]:
        key = self._router.openai_api_key
        return {
            "api_base": self.url,
            "api_key": key.get_secret_value() if key else "none",
            "num_retries": 0,
            "max_retries": 0,
        }

    async def _models(self) -> list[str]:
        key = self._router.openai_api_key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        timeout = aiohttp.ClientTimeout(total=self._router.probe_s)
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(f"{self.url}/models", raise_for_status=True) as response,
        ):
            told = await response.json(content_type=None)
        return [str(entry.get("id")) for entry in told.get("data") or ()]

    def _model(self, asked: str) -> str:
        """Return the server's name for what was asked; the default of other engines is not its."""
        if not asked or asked == names.resolve("", self._router):
            return self._router.openai_model or names.resolve("", self._router)
        return asked

    def _price(self, asked: str) -> Price | None:
        """Return what the model costs at a foreign host; litellm, and so its table, is here now."""
        model = self._model(asked)
        if not self.own and model not in self._prices:
            self._prices[model] = prices.read(prices.table(), (model,)).get(model)
        return self._prices.get(model)

    def _status(self, state: EngineState, detail: str) -> EngineStatus:
        return EngineStatus(
            engine=self.name,
            setting=self._settings.engine,
            state=state,
            is_llm=True,
            model=self._model(""),
            url=self.url,
            detail=detail,
            slots=self._router.slots,
        )


def _unit(vector: list[float]) -> tuple[float, ...]:
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return tuple(value / length for value in vector)
