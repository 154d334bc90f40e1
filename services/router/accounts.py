"""Makes the record of one call: its row, its cost event, and what it saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from services.router.prices import Price
from services.router.record import Call, Record, pico
from shared.clock import now
from shared.events import ChatReply, ChatRequest, CostEvent


@dataclass(frozen=True, slots=True)
class Outcome:
    """A request, its reply (of a failure: what is known), and where the prompt went.

    `asked` is the model as the caller named it; `at` is when it was reserved in the budgets: a call
    that runs over the turn of a month counts in the month that it began in. `seconds` is the time
    of the model's own try, when others had failed before it.
    """

    request: ChatRequest
    reply: ChatReply
    own_host: bool
    asked: str = ""
    at: datetime | None = None
    seconds: float | None = None


class Accounts:
    """`reference` names the cloud model to compare with, `price` is what it costs, if known."""

    def __init__(
        self,
        record: Record,
        tell: Callable[[CostEvent], None],
        reference: str,
        price: Price | None,
    ) -> None:
        self._record = record
        self._tell = tell
        self.reference = reference
        self.price = price
        self.followers: list[Callable[[Call], None]] = []

    def book(self, outcome: Outcome, error: str | None = None) -> None:
        """Record what a request came to; with `error`, its code, the reply holds what is known.

        The reply goes out first: nobody waits for the books.
        """
        self._record.later(partial(self._book, outcome, error))

    def _book(self, outcome: Outcome, error: str | None) -> None:
        self.enter(row(outcome, error), self._event(outcome, error))

    def enter(self, call: Call, event: CostEvent) -> None:
        """Record one call and tell it."""
        self._record.add(call)
        for follow in self.followers:
            follow(call)
        self._tell(event)

    def saved(self, reply: ChatReply) -> Decimal | None:
        """Return the reference price less the cost; None for rules and for unknown prices."""
        if not reply.is_llm or self.price is None or reply.cost_usd is None:
            return None
        return self.price.of(reply.prompt_tokens, reply.completion_tokens) - reply.cost_usd

    def _event(self, outcome: Outcome, error: str | None) -> CostEvent:
        request, reply = outcome.request, outcome.reply
        return CostEvent(
            request_id=reply.request_id,
            engine=reply.engine,
            model=reply.model,
            is_llm=reply.is_llm,
            cache=reply.cache,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            seconds=reply.times.total_s,
            cost_usd=reply.cost_usd,
            reference_model=self.reference,
            saved_usd=None if error else self.saved(reply),
            task_id=request.task_id,
            agent=request.agent,
            host=reply.host,
            error=error,
        )


def row(outcome: Outcome, error: str | None) -> Call:
    """Return the record's row of an outcome."""
    request, reply, times = outcome.request, outcome.reply, outcome.reply.times
    return Call(
        at=(outcome.at or now()).isoformat(),
        request_id=reply.request_id,
        task_id=request.task_id,
        step_id=request.step_id,
        agent=request.agent,
        tenant=request.tenant,
        engine=reply.engine,
        model=reply.model,
        host=reply.host,
        is_llm=int(reply.is_llm),
        own_host=int(outcome.own_host),
        cache=reply.cache,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        total_s=times.total_s if outcome.seconds is None else outcome.seconds,
        queue_s=times.queue_s,
        first_token_s=times.first_token_s,
        load_s=times.load_s,
        prompt_s=times.prompt_s,
        eval_s=times.eval_s,
        cost_pico=pico(reply.cost_usd),
        error=error,
        source=request.source,
        caller=request.caller,
        asked=outcome.asked,
        rule=reply.rule,
        structured=int(request.format is not None or bool(request.tools)),
    )
