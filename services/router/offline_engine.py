"""The offline engine at the seam: deterministic rules, labelled as such, no tokens, no savings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from services.router import schema
from services.router.engine import Answer, OnDelta, Vectors
from shared.errors import NeedsModel, OutputInvalid
from shared.events import ChatRequest, EmbedRequest, EngineStatus

if TYPE_CHECKING:
    from services.router.offline import OfflineAnswer

MODEL = "offline-rules/1"
LONG = 20_000
"""Characters; longer input is worked on in a thread, so that the loop keeps beating."""


class OfflineEngine:
    """Works from the request's own text; raises `NeedsModel` where only a model could answer."""

    name = "offline"
    is_llm = False
    own = True

    def __init__(self, setting: str, host: str, why: str = "") -> None:
        self._setting = setting
        self._host = host
        self._why = why

    async def probe(self) -> EngineStatus:
        """Return the status; rules are always at hand."""
        return EngineStatus(
            engine=self.name,
            setting=self._setting,
            state="offline",
            is_llm=False,
            model=MODEL,
            detail=self._why,
        )

    async def identity(self, model: str) -> str:
        """Return the version of the rules."""
        return MODEL

    async def chat(self, request: ChatRequest, on_delta: OnDelta | None) -> Answer:
        """Answer by rule, at once and whole."""
        if not request.allow_offline:
            raise NeedsModel("this request wants a model, and none answers")
        found = await _answer(request)
        data = found.data if request.format is None else _checked(found, request.format)
        if on_delta is not None:
            await on_delta(found.content)
        return Answer(
            content=found.content, model=MODEL, data=data, host=self._host, notice=found.notice
        )

    async def embed(self, request: EmbedRequest) -> Vectors:
        """Refuse: rules have no meaning to compare."""
        raise NeedsModel("embeddings need a model, and none answers")

    async def close(self) -> None:
        """Nothing is held."""


async def _answer(request: ChatRequest) -> OfflineAnswer:
    from services.router.offline import answer  # a host with a model never needs the rules

    if sum(len(message.content) for message in request.messages) > LONG:
        return await asyncio.to_thread(answer, request)
    return answer(request)


def _checked(found: OfflineAnswer, wanted: schema.Format) -> object:
    """Return the structured value; rules that miss the schema count as unable."""
    try:
        return schema.parse(found.content, wanted)
    except OutputInvalid as error:
        raise NeedsModel(f"the rules cannot fill this schema: {error.message}") from None
