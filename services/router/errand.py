"""One chat request on its way through the router, and what became of it so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from services.router.accounts import Outcome
from services.router.engine import Answer, Engine, OnDelta
from services.router.flying import Tab
from shared.events import CacheEvent, ChatReply, ChatRequest, ModelTimes

Begun = Callable[[dict[str, str]], None]
"""Hears who answers (engine, model, cache) just before the caller sees the first word."""


@dataclass(slots=True)
class Errand:
    """`cache` is known when it has come so far; `engine` when one was chosen.

    `tried` is when the try of now began (monotonic), None before the first;
    `asked` is the model as the caller named it, `rule` what chose the one that is tried now;
    `last` is false while others are left to try, `told` once the caller has seen a word; `tab` is
    what the try of now comes to, as far as this one pays it.
    """

    request: ChatRequest
    to: OnDelta | None
    began: float = field(default_factory=time.monotonic)
    engine: Engine | None = None
    cache: Literal["miss", "hit", "coalesced", "off"] = "off"
    asked: str = ""
    rule: str = ""
    last: bool = True
    told: bool = False
    tab: Tab = field(default_factory=Tab)
    begun: Begun | None = None
    tried: float | None = None

    def __post_init__(self) -> None:
        """Keep the model's name as it was asked for."""
        self.asked = self.request.model

    @property
    def on_delta(self) -> OnDelta | None:
        """What tells the caller, who is noticed to be told; made anew, as one that is kept would
        hold the errand and keep all of a stream until the garbage collector comes by."""
        return self._tell if self.to is not None else None

    async def _tell(self, delta: str) -> None:
        if not self.told:
            self.told = True
            self._announce()
        if self.to is not None:
            await self.to(delta)

    def _announce(self) -> None:
        if self.begun is not None and self.engine is not None:
            who = {"engine": self.engine.name, "model": self.request.model, "cache": self.cache}
            self.begun(who)

    @property
    def model(self) -> str:
        """Return the model that is tried now."""
        return self.request.model

    def try_model(self, model: str, last: bool) -> None:
        """Begin with this model; what the one before came to is another call."""
        if model != self.request.model:
            self.request = self.request.model_copy(update={"model": model})
        self.last, self.engine, self.tried = last, None, time.monotonic()
        self.tab = Tab()

    @property
    def fresh(self) -> bool:
        """Whether the engine answered this very request."""
        return self.cache in ("off", "miss")

    def pays(self, tab: Tab) -> None:
        """Bear the cost of what was shared in flight: who began it may have left."""
        self.cache, self.tab = "miss", tab

    def event(self, key: str, engine: Engine) -> CacheEvent:
        """Return what the cache's events say of this request."""
        return CacheEvent(
            kind="miss",
            key=key,
            model=self.request.model,
            engine=engine.name,
            agent=self.request.agent,
        )

    def done(self, answer: Answer) -> Outcome:
        """Return the outcome of an answer."""
        own = answer.own_host or not self.fresh
        return self._outcome(answer, own)

    def failed(self, host: str = "") -> Outcome:
        """Return what is known of a failure, at `host` if at one; what was booked for it."""
        booked = self.tab.booked
        answer = Answer(
            content="",
            model=self.request.model,
            prompt_tokens=booked.tokens - booked.answer,
            completion_tokens=booked.answer,
            cost_usd=booked.usd if booked.tokens else None,
            host=host,
        )
        own = self.engine is None or self.engine.own
        return self._outcome(answer, own)

    def _outcome(self, answer: Answer, own: bool) -> Outcome:
        reserved_at = self.tab.bill.at if self.tab.bill else None
        seconds = None if self.tried is None else time.monotonic() - self.tried
        reply = self._reply(answer)
        return Outcome(self.request, reply, own, self.asked, reserved_at, seconds)

    def _reply(self, answer: Answer) -> ChatReply:
        return ChatReply(
            request_id=self.request.request_id or "",
            content=answer.content,
            thinking=answer.thinking,
            tool_calls=answer.tool_calls,
            data=answer.data,
            engine=self.engine.name if self.engine else "",
            model=answer.model,
            is_llm=self.engine.is_llm if self.engine else False,
            host=answer.host,
            done_reason=answer.done_reason,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            times=self._times(answer),
            cache=self.cache,
            cost_usd=answer.cost_usd if self.fresh else Decimal(0),
            notice=answer.notice,
            rule=self.rule,
        )

    def _times(self, answer: Answer) -> ModelTimes:
        """Return this request's times; those of a kept answer's engine are of another request."""
        total_s = time.monotonic() - self.began
        if not self.fresh:
            return ModelTimes(total_s=total_s)
        return ModelTimes(
            total_s=total_s,
            queue_s=self.tab.queue_s + answer.queue_s,
            first_token_s=answer.first_token_s,
            load_s=answer.load_s,
            prompt_s=answer.prompt_s,
            eval_s=answer.eval_s,
        )
