"""One request for vectors on its way through the router, and what became of it so far."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from services.router import prices
from services.router.embedding.flights import Made, Purchase
from services.router.embedding.vectors import Vector
from services.router.engine import Engine
from shared.clock import now
from shared.events import CacheEvent, EmbedReply, EmbedRequest, ModelTimes

Way = Literal["miss", "hit", "coalesced", "off"]


@dataclass(slots=True)
class Errand:
    """`asked` is the model as the caller named it, `rule` what chose the one that is tried now.

    `way` is how its texts went, of several ways the dearest; `paid` are the calls of engines whose
    cost it bears; `last` is false while other models are left to try; `tried` is when the try of
    now began (monotonic).
    """

    request: EmbedRequest
    asked: str
    rule: str = ""
    last: bool = True
    told: bool = False
    engine: Engine | None = None
    way: Way = "off"
    paid: list[Purchase] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    tried: float = field(default_factory=time.monotonic)

    def try_model(self, model: str, last: bool) -> None:
        """Begin with another model, for all texts: vectors of two models do not compare."""
        self.request = self.request.model_copy(update={"model": model})
        self.last, self.engine, self.tried = last, None, time.monotonic()
        self.way, self.paid = "off", []

    @property
    def model(self) -> str:
        """Return the model that is tried now."""
        return self.request.model

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

    @property
    def made(self) -> list[Made]:
        """Return what came of the calls that it paid for."""
        return [one.made for one in self.paid if one.made is not None]

    @property
    def at(self) -> datetime:
        """Return when it was reserved in the budgets, else now."""
        return next((one.tab.bill.at for one in self.paid if one.tab.bill), None) or now()

    def times(self, since: float) -> ModelTimes:
        """Return the times since an instant, with those of the calls that it paid for."""
        load = [one.found.load_s or 0.0 for one in self.made]
        waited_s = sum(one.tab.queue_s for one in self.paid)
        return ModelTimes(
            total_s=time.monotonic() - since,
            queue_s=waited_s + sum(one.found.queue_s for one in self.made),
            load_s=sum(load) if load else None,
        )

    def cost_usd(self) -> Decimal | None:
        """Return what it paid; None when a part of it is unknown."""
        return prices.total(one.found.cost_usd for one in self.made)

    def reply(self, vectors: Sequence[Vector], kept: int) -> EmbedReply:
        """Return the reply; the numbers are not checked again, since there are many."""
        return EmbedReply.model_construct(
            request_id=self.request.request_id or "",
            model=self.request.model,
            engine=self.engine_name,
            embeddings=tuple(tuple(vector.values) for vector in vectors),
            prompt_tokens=sum(vector.tokens for vector in vectors),
            host=next((one.found.host for one in self.made), ""),
            times=self.times(self.began),
            cache=self.way,
            kept=kept,
            cost_usd=self.cost_usd(),
            rule=self.rule,
        )
