"""Records what requests for vectors came to: what was asked of a model, and what was kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from services.router.accounts import Accounts
from services.router.budgets.estimate import NOTHING, Amount
from services.router.embedding.errand import Errand, Way
from services.router.embedding.vectors import Vector
from services.router.prices import Price
from services.router.record import Call, dollars, pico
from shared.errors import EngineFailed
from shared.events import CostEvent, ModelTimes


class Line(NamedTuple):
    """One line of the record: texts of a request that went the same way."""

    way: str
    texts: int
    tokens: int = 0
    cost_usd: Decimal | None = Decimal(0)
    host: str = ""
    own_host: bool = True
    times: ModelTimes = ModelTimes()
    error: str | None = None


class Booking:
    """`reference` names the embedding model to compare with, `price` is what it costs, if known.

    A request has a line for what it paid and one for what was kept, so that neither speed nor
    spending is ever measured on texts that no model was asked for.
    """

    def __init__(self, accounts: Accounts, reference: str, price: Price | None) -> None:
        self._accounts = accounts
        self.reference = reference
        self.price = price

    def done(self, errand: Errand, kept: Mapping[Way, list[Vector]]) -> None:
        """Record a request that has its vectors; `kept` are those that others had paid for."""
        lines = list(_paid(errand))
        for way, vectors in kept.items():
            lines.append(Line(way, len(vectors), sum(vector.tokens for vector in vectors)))
        first = lines[0]._replace(times=errand.times(errand.tried))
        for line in (first, *lines[1:]):
            self._enter(errand, line)

    def failed(self, errand: Errand, code: str, host: str = "") -> None:
        """Record a failure at `host`, if at one, with what was booked for it in the budgets."""
        for line in _paid(errand):
            self._enter(errand, line)
        lost = (one.tab.booked for one in errand.paid if one.made is None)
        booked = sum(lost, NOTHING)
        own = errand.engine is None or errand.engine.own
        cost = booked.usd if booked.tokens else None
        line = Line(errand.way, len(errand.request.input), booked.tokens, cost, host, own)
        self._enter(errand, line._replace(times=errand.times(errand.tried), error=code))

    def _enter(self, errand: Errand, line: Line) -> None:
        call = _call(errand, line)
        self._accounts.enter(call, self._event(call))

    def _event(self, call: Call) -> CostEvent:
        cost = dollars(call.cost_pico)
        saved = None
        if call.error is None and self.price is not None and cost is not None:
            saved = self.price.of(call.prompt_tokens, 0) - cost
        return CostEvent(
            request_id=call.request_id,
            engine=call.engine,
            model=call.model,
            is_llm=bool(call.is_llm),
            cache=call.cache,
            prompt_tokens=call.prompt_tokens,
            seconds=call.total_s,
            cost_usd=cost,
            reference_model=self.reference,
            saved_usd=saved,
            task_id=call.task_id,
            agent=call.agent,
            host=call.host,
            error=call.error,
            kind="embed",
            texts=call.texts,
        )


def shares(sizes: list[int], tokens: int) -> list[int]:
    """Return the tokens of each text by its size in bytes; they sum to `tokens`.

    Engines tell the tokens of a batch as one number.
    """
    whole, told, given, found = sum(sizes) or 1, 0, 0, []
    for size in sizes:
        told += size
        found.append(tokens * told // whole - given)
        given += found[-1]
    return found


def _paid(errand: Errand) -> Iterator[Line]:
    """Return a line for each call that it paid for, and one for what was charged before it."""
    way = "off" if errand.way == "off" else "miss"
    for one in errand.paid:
        if one.made is None:
            continue
        texts, found = len(one.made.vectors), one.made.found
        paid = Amount(found.cost_usd or Decimal(0), found.prompt_tokens)
        yield Line(way, texts, found.prompt_tokens, found.cost_usd, found.host, found.own_host)
        lost = one.tab.booked.minus(paid)
        if lost.tokens > 0:
            line = Line(way, texts, lost.tokens, lost.usd, found.host, found.own_host)
            yield line._replace(error=EngineFailed.code)


def _call(errand: Errand, line: Line) -> Call:
    request, times, engine = errand.request, line.times, errand.engine
    return Call(
        at=errand.at.isoformat(),
        request_id=request.request_id or "",
        task_id=request.task_id,
        step_id=request.step_id,
        agent=request.agent,
        tenant=request.tenant,
        engine=errand.engine_name,
        model=request.model,
        host=line.host,
        is_llm=int(engine.is_llm if engine else False),
        own_host=int(line.own_host),
        cache=line.way,
        prompt_tokens=line.tokens,
        completion_tokens=0,
        total_s=times.total_s,
        queue_s=times.queue_s,
        first_token_s=None,
        load_s=times.load_s,
        prompt_s=None,
        eval_s=None,
        cost_pico=pico(line.cost_usd),
        error=line.error,
        source=request.source,
        caller=request.caller,
        asked=errand.asked,
        rule=errand.rule,
        kind="embed",
        texts=line.texts,
    )
