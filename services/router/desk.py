"""The front desk: from a chat request to its reply, through cache, flight, queue and engine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.router import names, schema, tools
from services.router.accounts import Accounts
from services.router.asking import ask
from services.router.cache import Cache
from services.router.engine import Answer, Engine, OnDelta
from services.router.errand import Errand
from services.router.flights import Flights
from services.router.keys import cacheable, key
from services.router.slots import Queue
from services.router.switch import Switch
from shared.errors import (
    Cancelled,
    EngineFailed,
    InvalidInput,
    ModelMissing,
    NeedsModel,
    SovereignError,
    TimedOut,
    Unavailable,
)
from shared.events import ChatReply, ChatRequest
from shared.settings import RouterSettings


@dataclass(frozen=True, slots=True)
class Desk:
    """Serves any number of requests at once; the engine sees at most as many as it has slots."""

    settings: RouterSettings
    switch: Switch
    slots: Queue
    cache: Cache
    flights: Flights
    accounts: Accounts

    async def complete(self, request: ChatRequest, on_delta: OnDelta | None = None) -> ChatReply:
        """Return the reply within `timeout_s`; raise typed errors; every outcome is recorded.

        A request that waits for a model (`NeedsModel`) is no call, and comes again and again.
        """
        errand = Errand(request, on_delta)
        try:
            errand.request = self._checked(request)
            answer = await self._in_time(errand)
        except NeedsModel:
            raise
        except SovereignError as error:
            self.accounts.book(errand.failed(), error.code)
            raise
        except asyncio.CancelledError:
            self.accounts.book(errand.failed(), Cancelled.code)
            raise
        outcome = errand.done(answer)
        self.accounts.book(outcome)
        return outcome.reply

    def _checked(self, request: ChatRequest) -> ChatRequest:
        """Return the request with its model's name resolved, or say what is wrong with it."""
        model = names.resolve(request.model, self.settings)
        names.refuse_cloud(model, self.settings)
        if request.format is not None and request.tools:
            raise InvalidInput("format and tools exclude each other", field="format")
        schema.check(request.format)
        tools.check(request)
        return request.model_copy(update={"model": model})

    async def _in_time(self, errand: Errand) -> Answer:
        limit = asyncio.timeout(errand.request.timeout_s)
        try:
            async with limit:
                return await self._twice(errand)
        except TimeoutError:
            if not limit.expired():
                raise
            line = f"no answer in {errand.request.timeout_s:g} s"
            raise TimedOut(line, field="timeout_s") from None

    async def _twice(self, errand: Errand) -> Answer:
        """Look again when the engine is not what it was a moment ago, then choose anew."""
        try:
            return await self._serve(errand)
        except (Unavailable, ModelMissing) as error:
            before = errand.engine
            await self.switch.probe()
            again = await self.switch.choose(errand.request.model)
            if isinstance(error, ModelMissing) and again is before:
                raise
        except EngineFailed:
            await self.switch.probe()
            raise
        return await self._serve(errand)

    async def _serve(self, errand: Errand) -> Answer:
        engine = errand.engine = await self.switch.choose(errand.request.model)
        if not engine.is_llm:
            return await ask(engine, errand.request, errand.on_delta)
        if not cacheable(errand.request):
            return await self._queued(engine, errand, errand.on_delta)
        return await self._cached(engine, errand)

    async def _cached(self, engine: Engine, errand: Errand) -> Answer:
        """Answer from the cache, or together with identical requests in flight."""
        identity = await engine.identity(errand.request.model)
        name = key(errand.request, engine.name, identity, self.settings)
        kept = self.cache.get(name, errand.event(name, engine))
        if kept is None:
            return await self._together(engine, errand, name)
        errand.cache = "hit"
        if errand.on_delta is not None:
            await errand.on_delta(kept.content)
        return kept

    async def _together(self, engine: Engine, errand: Errand, name: str) -> Answer:
        """Ride along with the same request if it is in flight, else start it."""
        event = errand.event(name, engine)
        errand.cache = "coalesced" if name in self.flights else "miss"
        self.cache.looked(errand.cache, event)

        async def start(tell: OnDelta | None) -> Answer:
            answer = await self._queued(engine, errand, tell)
            if _worth_keeping(errand.request, answer):
                self.cache.put(name, answer, event)
            return answer

        return await self.flights.ride(name, start, errand.on_delta)

    async def _queued(self, engine: Engine, errand: Errand, on_delta: OnDelta | None) -> Answer:
        async with self.slots.hold(errand.request.priority) as waited_s:
            errand.queue_s = waited_s
            return await ask(engine, errand.request, on_delta)


def _worth_keeping(request: ChatRequest, answer: Answer) -> bool:
    """Keep what is complete; calls of tools only when the caller wants every answer kept."""
    return answer.done_reason == "stop" and (not answer.tool_calls or request.cache == "always")
