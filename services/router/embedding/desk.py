"""The front desk for vectors: through cache, flight, budget, queue and engine, text by text."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from services.router import names
from services.router.budgets.bill import Bill
from services.router.budgets.budgets import Budgets
from services.router.embedding.booking import Booking, shares
from services.router.embedding.errand import Errand, Way
from services.router.embedding.flights import EmbedFlights, Made, Purchase, VectorFlight
from services.router.embedding.keys import keys
from services.router.embedding.vectors import Vector, VectorCache
from services.router.engine import Engine, Vectors
from services.router.flying import Tab
from services.router.policy.policy import Policy
from services.router.slots import Queue
from services.router.switch import Switch
from services.router.trying import Trying, recorded
from shared.errors import (
    BudgetExceeded,
    EngineFailed,
    InvalidInput,
)
from shared.events import EmbedReply, EmbedRequest
from shared.ids import ulid
from shared.settings import RouterSettings

Found = dict[bytes, Vector]
Texts = Mapping[bytes, str]


@dataclass(frozen=True, slots=True)
class EmbedDesk:
    """Serves any number of requests at once; the engine sees at most as many as it has slots."""

    settings: RouterSettings
    switch: Switch
    slots: Queue
    cache: VectorCache
    flights: EmbedFlights
    booking: Booking
    policy: Policy
    budgets: Budgets

    async def embed(self, request: EmbedRequest) -> EmbedReply:
        """Return vectors within `timeout_s`; raise typed errors; every outcome is recorded."""
        made = {"request_id": request.request_id or ulid()}
        errand = Errand(request.model_copy(update=made), request.model)
        with recorded(errand, self.booking.failed):
            _check(request)
            choice = self.policy.choose_vectors(request)
            trying = Trying(self.switch, self._serve, self.booking.failed)
            return await trying.within(request.timeout_s, errand, choice)

    async def _serve(self, errand: Errand, engine: Engine) -> EmbedReply:
        names.refuse_cloud(errand.model, self.settings)
        identity = await engine.identity(errand.model) if engine.is_llm else ""
        if errand.request.cache == "off" or not identity:
            return await self._fresh(errand, engine)
        return await self._kept(errand, engine, keys(errand.request, engine.name, identity))

    async def _fresh(self, errand: Errand, engine: Engine) -> EmbedReply:
        """Ask for every text; nothing is kept."""
        bought = Purchase()
        errand.paid.append(bought)
        bought.made = made = await self._ask(engine, errand.request, bought.tab)
        self.booking.done(errand, {})
        return errand.reply(made.vectors, 0)

    async def _kept(self, errand: Errand, engine: Engine, wanted: Sequence[bytes]) -> EmbedReply:
        """Ask only for texts that nobody has asked for, each once."""
        texts = dict(zip(wanted, errand.request.input, strict=True))
        hits = {key: vector for key in texts if (vector := self.cache.get(key)) is not None}
        self.cache.looked("hit", list(hits), errand.event())
        missing = {key: text for key, text in texts.items() if key not in hits}
        errand.way = "hit"
        found = hits | (await self._fetch(errand, engine, missing) if missing else {})
        if missing:
            errand.way = "miss" if errand.made else "coalesced"
        kept = _by_way(errand, [(key, found[key]) for key in wanted], hits)
        self.booking.done(errand, kept)
        return errand.reply([found[key] for key in wanted], sum(map(len, kept.values())))

    async def _fetch(self, errand: Errand, engine: Engine, missing: Texts) -> Found:
        """Ride with the flights that bring some of the texts, and start one for the rest.

        What another's budget did not reach for is asked for anew, on one's own.
        """
        flights = self._board(errand, missing)
        rest = {key: text for key, text in missing.items() if self.flights.of(key) is None}
        own = self._start(errand, engine, rest) if rest else None
        found: Found = {}
        async with AsyncExitStack() as aboard:
            for flight in (flights := [own, *flights] if own else flights):
                await aboard.enter_async_context(self.flights.aboard(flight, errand.paid.append))
            for flight in flights:
                try:
                    found |= await flight.landed()
                except BudgetExceeded:
                    if flight is own:
                        raise
        left = {key: text for key, text in missing.items() if key not in found}
        return found | (await self._fetch(errand, engine, left) if left else {})

    def _board(self, errand: Errand, missing: Texts) -> list[VectorFlight]:
        """Return the flights that bring some of the texts, and tell how the looks went."""
        flying = {key: flight for key in missing if (flight := self.flights.of(key)) is not None}
        rest = [key for key in missing if key not in flying]
        self.cache.looked("coalesced", list(flying), errand.event())
        self.cache.looked("miss", rest, errand.event())
        errand.way = "miss" if rest else "coalesced"
        return list(dict.fromkeys(flying.values()))

    def _start(self, errand: Errand, engine: Engine, rest: Texts) -> VectorFlight:
        event = errand.event()
        request = errand.request.model_copy(update={"input": tuple(rest.values())})

        async def fly(tab: Tab) -> Made:
            made = await self._ask(engine, request, tab)
            self.cache.put(dict(zip(rest, made.vectors, strict=True)), event)
            return made

        return self.flights.start(tuple(rest), fly)

    async def _ask(self, engine: Engine, request: EmbedRequest, tab: Tab) -> Made:
        """Ask within the budgets; what it comes to stands on the tab.

        The engine may take its time: others may wait longer than who began it.
        """
        patient = request.model_copy(update={"timeout_s": self.settings.first_token_s})
        async with self.budgets.hold(request) as bill:
            tab.bill, bill.queued = bill, True
            async with self.slots.hold(request.priority) as tab.queue_s:
                bill.queued = False
                found = await _uncrashed(engine, patient, bill)
                bill.paid(found)
        tokens = shares([len(text.encode()) for text in request.input], found.prompt_tokens)
        return Made(found, tuple(map(Vector, found.embeddings, tokens)))


def _check(request: EmbedRequest) -> None:
    """Say what is wrong with the request."""
    for number, text in enumerate(request.input):
        if not text:
            raise InvalidInput(f"input.{number}: is empty", field=f"input.{number}")


async def _uncrashed(engine: Engine, request: EmbedRequest, bill: Bill) -> Vectors:
    """Ask once more after a crash."""
    try:
        return await engine.embed(request)
    except EngineFailed:
        bill.lost()
    await bill.again(request)
    return await engine.embed(request)


def _by_way(
    errand: Errand, wanted: Sequence[tuple[bytes, Vector]], hits: Container[bytes]
) -> dict[Way, list[Vector]]:
    """Return what this request did not pay for; the same text twice is asked for once."""
    paid = {key for one in errand.paid for key in one.keys}
    kept: dict[Way, list[Vector]] = {}
    for key, vector in wanted:
        if key in paid:
            paid.discard(key)
        else:
            kept.setdefault("hit" if key in hits else "coalesced", []).append(vector)
    return kept
