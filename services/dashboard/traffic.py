"""Model calls and the caches: counts since this page started, and the latest latencies."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from decimal import Decimal

from shared.events import CacheEvent, CostEvent

CALLS = 500
WINDOW_S = 30.0


@dataclass(frozen=True)
class Call:
    """One model call and when it was heard, on the store's clock."""

    at: float
    cost: CostEvent


class Traffic:
    """Counters and a window of the last calls."""

    def __init__(self) -> None:
        self.calls: deque[Call] = deque(maxlen=CALLS)
        self.cache: Counter[str] = Counter()
        self.vectors: Counter[str] = Counter()
        self.by_model: Counter[tuple[str, str]] = Counter()
        self.tokens: Counter[str] = Counter()
        self.llm_calls = 0
        self.offline_calls = 0
        self.texts = 0
        self.errors = 0
        self.seconds = 0.0
        self.saved_usd: Decimal | None = None
        self.cost_usd: Decimal | None = None
        self.reference_model = ""

    def take_cache(self, event: CacheEvent) -> None:
        """Count one cache event; vectors are counted apart, text by text."""
        counter = self.cache if event.of == "chat" else self.vectors
        counter[event.kind] += event.count

    def take_cost(self, cost: CostEvent, at: float) -> None:
        """Count one model call. Unknown prices stay unknown.

        Embeddings count among models, tokens, errors and costs; the rest is of chats.
        """
        self.by_model[cost.engine, cost.model] += 1
        self.tokens["prompt"] += cost.prompt_tokens
        self.tokens["completion"] += cost.completion_tokens
        self.errors += cost.error is not None
        self.cost_usd = _plus(self.cost_usd, cost.cost_usd)
        if cost.kind == "chat":
            self._take_chat(cost, at)
        else:
            self.texts += cost.texts

    def _take_chat(self, cost: CostEvent, at: float) -> None:
        self.calls.append(Call(at, cost))
        self.llm_calls += cost.is_llm
        self.offline_calls += not cost.is_llm
        self.seconds += cost.seconds
        self.saved_usd = _plus(self.saved_usd, cost.saved_usd)
        self.reference_model = cost.reference_model or self.reference_model

    def hit_rate(self) -> float | None:
        """Return hits (coalesced ones too) over lookups, 0..1; None before the first lookup."""
        good = self.cache["hit"] + self.cache["coalesced"]
        lookups = good + self.cache["miss"]
        return good / lookups if lookups else None

    def percentile(self, share: float, at: float) -> float | None:
        """Return the seconds at `share` of the answers of the last half minute; errors are none."""
        recent = sorted(
            call.cost.seconds
            for call in self.calls
            if at - call.at <= WINDOW_S and call.cost.error is None
        )
        if not recent:
            return None
        return recent[min(len(recent) - 1, int(share * len(recent)))]


def _plus(total: Decimal | None, part: Decimal | None) -> Decimal | None:
    return total if part is None else (total or Decimal(0)) + part
