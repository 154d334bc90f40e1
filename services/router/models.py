"""Models and their engine: what is at hand, what answers now, pulls."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass

from nats.micro.request import Request

from services.router import names
from services.router.ollama.pull import pull
from services.router.pool.engine import PoolEngine
from services.router.switch import Switch
from shared import rpc
from shared.bus import encode
from shared.errors import InvalidInput
from shared.events import (
    Empty,
    EngineStatus,
    HostList,
    ModelList,
    PullAsk,
    PullProgress,
)
from shared.load import leaning
from shared.settings import RouterSettings


@dataclass(frozen=True, slots=True)
class ModelHandlers:
    """Answers `model.status`, `model.models`, `model.hosts` and `model.pull`."""

    settings: RouterSettings
    switch: Switch
    pool: PoolEngine | None

    async def status(self, _: Empty) -> EngineStatus:
        """Return what the last probe found; it is at most `reprobe_s` old."""
        return self.switch.status

    async def models(self, _: Empty) -> ModelList:
        """Return the models that Ollama holds; `allowed` is false for those that are not local."""
        if self.pool is None:
            return ModelList()
        free = self.settings.allow_remote
        return ModelList(
            models=tuple(
                model.model_copy(update={"allowed": free or not model.remote_host})
                for model in self.pool.models
            )
        )

    async def hosts(self, asked: Empty) -> HostList:
        """Return the hosts of the pool, none when the engine is another."""
        return HostList() if self.pool is None else await self.pool.list_hosts(asked)

    async def pull(self, request: Request) -> None:
        """Fetch a model, with progress to the reply inbox; then look what there is now."""
        async with rpc.answering(request):
            with leaning():
                await self._pull(request)

    async def _pull(self, request: Request) -> None:
        asked = rpc.parse(request.data, PullAsk)
        if self.pool is None:
            line = "models are pulled by Ollama, and this router's engine is another"
            raise InvalidInput(line, field="SOVEREIGN_ENGINE")
        names.refuse_cloud(asked.model, self.settings)
        client = self.pool.client(asked.host)
        async with aclosing(pull(client, asked.model)) as told:
            async for progress in told:
                if progress.type == "final":
                    await self.switch.probe()
                await self._tell(request, progress)

    async def _tell(self, request: Request, progress: PullProgress) -> None:
        await request.respond(encode(progress))
