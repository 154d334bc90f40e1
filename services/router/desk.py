"""The front desk: from a chat request to its reply, through cache, flight, queue and engine."""

from __future__ import annotations

from dataclasses import dataclass

from services.router import schema, tools
from services.router.accounts import Accounts
from services.router.asking import ask
from services.router.budgets.budgets import Budgets
from services.router.cache import Cache
from services.router.engine import Answer, Engine, OnDelta
from services.router.errand import Begun, Errand
from services.router.flights import Flights
from services.router.flying import Tab
from services.router.keys import cacheable, key
from services.router.policy.policy import Policy
from services.router.shelf import Shelf
from services.router.slots import Queue
from services.router.suggest.suggestions import Suggestions
from services.router.switch import Switch
from services.router.trying import Trying, recorded
from shared.errors import BudgetExceeded, InvalidInput
from shared.events import CacheEvent, ChatReply, ChatRequest
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
    policy: Policy
    budgets: Budgets
    shelf: Shelf | None = None
    suggestions: Suggestions | None = None

    async def complete(
        self, request: ChatRequest, on_delta: OnDelta | None = None, begun: Begun | None = None
    ) -> ChatReply:
        """Return the reply within `timeout_s`; raise typed errors; every outcome is recorded.

        `begun` hears who answers, just before the first word.
        """
        errand = Errand(request, on_delta, begun=begun)
        with recorded(errand, self._failed):
            self._check(request)
            choice = self.policy.choose(request)
            trying = Trying(self.switch, self._serve, self._failed)
            answer = await trying.within(request.timeout_s, errand, choice)
        outcome = errand.done(answer)
        self.accounts.book(outcome)
        return outcome.reply

    def _failed(self, errand: Errand, code: str, host: str) -> None:
        self.accounts.book(errand.failed(host), code)

    def _check(self, request: ChatRequest) -> None:
        """Say what is wrong with the request."""
        if request.format is not None and request.tools:
            raise InvalidInput("format and tools exclude each other", field="format")
        schema.check(request.format)
        tools.check(request)

    async def _serve(self, errand: Errand, engine: Engine) -> Answer:
        if not engine.is_llm:
            return await ask(engine, errand.request, errand.on_delta)
        if not cacheable(errand.request):
            return await self._queued(engine, errand.request, errand.on_delta, errand.tab)
        return await self._cached(engine, errand)

    async def _cached(self, engine: Engine, errand: Errand) -> Answer:
        """Answer from the cache, or together with identical requests in flight."""
        identity = await engine.identity(errand.request.model)
        name = key(errand.request, engine.name, identity, self.settings)
        event = errand.event(name, engine)
        kept = self.cache.get(name, event) or await self._shared(name, errand, event)
        if kept is None:
            return await self._together(engine, errand, name)
        errand.cache = "hit"
        if errand.on_delta is not None:
            await errand.on_delta(kept.content)
        return kept

    async def _shared(self, name: str, errand: Errand, event: CacheEvent) -> Answer | None:
        """Return what another router, or one of before, has kept."""
        found = await self.shelf.get(name, errand.request.tenant) if self.shelf else None
        if found is None:
            return None
        self.cache.take_over(name, found.answer, found.left_s, event)
        return found.answer

    async def _together(self, engine: Engine, errand: Errand, name: str) -> Answer:
        """Ride along with the same request if it is in flight, else start it.

        When the budget of who began it does not reach, the others go on with their own.
        """
        event = errand.event(name, engine)
        request = errand.request

        async def start(tell: OnDelta | None, tab: Tab) -> Answer:
            answer = await self._queued(engine, request, tell, tab)
            if _worth_keeping(request, answer):
                self.cache.put(name, answer, event)
                if self.suggestions is not None:
                    self.suggestions.learn(request, answer)
                if self.shelf is not None:
                    self.shelf.keep(name, request.tenant, answer)
            return answer

        while True:
            errand.cache = "coalesced" if name in self.flights else "miss"
            self.cache.looked(errand.cache, event)
            try:
                return await self.flights.ride(name, start, errand.on_delta, errand.pays)
            except BudgetExceeded:
                if errand.cache == "miss":
                    raise

    async def _queued(
        self, engine: Engine, request: ChatRequest, on_delta: OnDelta | None, tab: Tab
    ) -> Answer:
        """Ask within the budgets; what it comes to stands on the tab."""
        async with self.budgets.hold(request) as bill:
            tab.bill, bill.queued = bill, True
            async with self.slots.hold(request.priority) as tab.queue_s:
                bill.queued = False
                return await ask(engine, request, on_delta, bill)


def _worth_keeping(request: ChatRequest, answer: Answer) -> bool:
    """Keep what is complete; calls of tools only when the caller wants every answer kept."""
    return answer.done_reason == "stop" and (not answer.tool_calls or request.cache == "always")
