"""What the router reports: savings, performance, sovereignty; and the agents their roster."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant, UsDollars


class Empty(Body):
    """A request that says nothing but its subject."""


class EmbedSavings(Body):
    """What own vectors saved against a named embedding model, apart from chats.

    `calls` were asked of a model; of the `texts`, `kept_texts` were in the cache or in flight.
    """

    reference_model: str = ""
    calls: int = 0
    texts: int = 0
    kept_texts: int = 0
    prompt_tokens: int = 0
    reference_usd: UsDollars | None = None
    cost_usd: UsDollars | None = Decimal(0)
    saved_usd: UsDollars | None = None
    prices: dict[str, str] = Field(default_factory=dict)


class Savings(Body):
    """What local work saved against a named cloud model; offline answers count nothing.

    `prices` are US dollars per token of the reference model; null when its price is unknown.
    All but `embeddings` and `since` is of chats.
    """

    reference_model: str
    calls: int = 0
    llm_calls: int = 0
    offline_calls: int = 0
    cache_hits: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reference_usd: UsDollars | None = None
    cost_usd: UsDollars | None = None
    saved_usd: UsDollars | None = None
    since: Instant | None = None
    prices: dict[str, str] = Field(default_factory=dict)
    embeddings: EmbedSavings = EmbedSavings()
    notice: str = ""

    def paid_usd(self) -> Decimal | None:
        """Return what all calls cost, or None when a part of it is unknown."""
        if self.cost_usd is None or self.embeddings.cost_usd is None:
            return None
        return self.cost_usd + self.embeddings.cost_usd


class Latency(Body):
    """Seconds at the 50th, 95th and 99th percentile of the last calls."""

    model: str
    engine: str
    calls: int
    errors: int = 0
    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    tokens_per_s: float | None = None


class CacheStatus(Body):
    """The response cache; `expired` counts looks for an answer that had been kept too long."""

    entries: int = 0
    capacity: int = 0
    ttl_s: float = 0.0
    hits: int = 0
    misses: int = 0
    coalesced: int = 0
    evictions: int = 0
    expired: int = 0
    hit_rate: float | None = None


class Recommendation(Body):
    """Something worth changing, and what it should gain.

    With `applicable`, `model.apply` sets `setting` from `current` to `proposed` while the router
    runs, and `model.rollback` takes it back. `metric` names the share 0..1 that it should move,
    from `measured` to `expected`: `load` (time loading the model / total time), `queue` (time
    waiting / total time), `cut` and `too_long` (calls that failed so), `hits` (looks into the
    cache that found an answer), `failed` (calls that failed by no fault of the caller).
    """

    id: str
    title: str
    why: str
    gain: str = ""
    applicable: bool = False
    setting: str = ""
    current: str = ""
    proposed: str = ""
    metric: str = ""
    measured: float | None = None
    expected: float | None = None


class OptimizationReport(Body):
    """The answer of `model.report`, on the last 2000 chats; embeddings are in `vectors` alone, the
    cache of their texts.

    `parts` are 0..1, or null with nothing to judge: `success` (judged calls that came to an
    answer; faults of the caller are not judged), `no_waiting` (1 - time in the queue / total
    time), `reuse` (looks into the cache that found an answer; from 20 looks on), `warm` (1 - time
    loading the model / total time). `efficiency` is 100 x their mean, weighted 0.4, 0.3, 0.2, 0.1
    over the known ones; null until there are calls to judge.
    """

    efficiency: float | None = None
    parts: dict[str, float | None] = Field(default_factory=dict)
    cache: CacheStatus = CacheStatus()
    vectors: CacheStatus = CacheStatus()
    latency: tuple[Latency, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    at: Instant = Field(default_factory=now)


class SovereigntyPart(Body):
    """One measured part; `value` 0..1, null when it cannot be measured yet."""

    name: str
    value: float | None
    weight: float
    explanation: str


class Sovereignty(Body):
    """The answer of `model.sovereignty`: `score` 0..100 over the parts that are known.

    `measured_weight` is the share of the weight, 0..1, that those parts carry; below one half
    `score` is null: not enough is measured.
    """

    score: float | None
    measured_weight: float | None = None
    parts: tuple[SovereigntyPart, ...] = ()
    local_llm_share: float | None = None
    offline_share: float | None = None
    at: Instant = Field(default_factory=now)


class PullAsk(Body):
    """A request on `model.pull`; progress comes as chunks to the reply inbox.

    `host` names one of the pool; empty is the first that answers.
    """

    model: str = Field(min_length=1, max_length=200)
    host: str = Field(default="", max_length=64)


class PullProgress(Body):
    """How far a pull is, in bytes."""

    type: Literal["progress", "final"] = "progress"
    model: str
    status: str
    completed: int | None = None
    total: int | None = None


class ModelInfo(Body):
    """A model that an engine holds; a `remote_host` means that it is not local at all."""

    name: str
    size: int | None = None
    digest: str = ""
    details: dict[str, Any] = Field(default_factory=dict)
    remote_host: str | None = None
    allowed: bool = True


class ModelList(Body):
    """The answer of `model.models`."""

    models: tuple[ModelInfo, ...] = ()


class AgentInfo(Body):
    """One kind of agent in one agents process; `definition` is its YAML as it is in force."""

    name: str
    description: str
    instance: str
    host: str
    slots: int
    busy: int
    done: int = 0
    failed: int = 0
    seconds: float = 0.0
    current: tuple[str, ...] = ()
    model: str = ""
    tools: tuple[str, ...] = ()
    definition: str = ""


class AgentRoster(Body):
    """The answer of `agent.status` by one agents process.

    `faults` are files of the owner's agents that are wrong: what is wrong by name of agent.
    """

    instance: str
    host: str
    agents: tuple[AgentInfo, ...] = ()
    faults: dict[str, str] = Field(default_factory=dict)
