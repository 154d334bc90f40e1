"""One request for vectors on its way through the router, and what became of it so far."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from services.router.budgets.bill import Bill
from services.router.embedding.flights import Made
from services.router.embedding.vectors import Vector
from services.router.engine import Engine
from shared.events import CacheEvent, EmbedReply, EmbedRequest, ModelTimes

Way = Literal["miss", "hit", "coalesced", "off"]


@dataclass(slots=True)
class Errand:
    """`asked` is the model as the caller named it, `rule` what chose the one that is tried now.

    `way` is how its texts went, of several ways the dearest; `paid` are the calls of engines whose
    cost it bears; `bill` is what was reserved for its own; `last` is false while other models are
    left to try.
    """

    request: EmbedRequest
    asked: str
    rule: str = ""
    last: bool = True
    engine: Engine | None = None
    way: Way = "off"
    bill: Bill | None = None
    paid: list[Made] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def try_model(self, model: str, last: bool) -> None:
        """Begin with another model, for all texts: vectors of two models do not compare."""
        self.request = self.request.model_copy(update={"model": model})
        self.last, self.engine, self.bill = last, None, None
        self.way, self.paid = "off", []

    @property
    def engine_name(self) -> str:
        """Return who answers, as far as that was chosen."""
        return self.engine.name if self.engine else ""

    def event(self) -> CacheEvent:
        """Return what the cache's events say of this request."""
        request = self.request
        return CacheEvent(
            kind="miss", key="", model=request.model, engine=self.engine_name, agent=request.agent,
            of="embed",
        )  # fmt: skip

    def times(self) -> ModelTimes:
        """Return the times, with those of the calls that it paid for."""
        made = self.paid
        return ModelTimes(
            total_s=time.monotonic() - self.began,
            queue_s=sum(one.queue_s + one.found.queue_s for one in made),
            load_s=sum(one.found.load_s or 0.0 for one in made) if made else None,
        )

    def cost_usd(self) -> Decimal | None:
        """Return what it paid; None when a part of it is unknown."""
        costs = [one.found.cost_usd for one in self.paid]
        return None if None in costs else sum(filter(None, costs), Decimal(0))

    def reply(self, vectors: Sequence[Vector], kept: int) -> EmbedReply:
        """Return the reply; the numbers are not checked again, since there are many."""
        return EmbedReply.model_construct(
            request_id=self.request.request_id or "",
            model=self.request.model,
            engine=self.engine_name,
            embeddings=tuple(tuple(vector.values) for vector in vectors),
            prompt_tokens=sum(vector.tokens for vector in vectors),
            host=next((one.found.host for one in self.paid), ""),
            times=self.times(),
            cache=self.way,
            kept=kept,
            cost_usd=self.cost_usd(),
            rule=self.rule,
        )
