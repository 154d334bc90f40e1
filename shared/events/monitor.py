"""How models do on hosts: figures, anomalies, trends, forecasts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant, UsDollars
from shared.events.models import CallKind


class MonitorAsk(Body):
    """A request on `model.monitor`: figures over the last `hours`."""

    hours: float = Field(default=24.0, gt=0, le=24 * 365)


class SeriesLine(Body):
    """One model on one host: seconds of its answers without the wait for a place.

    `errors` are faults of the engine, never the caller's. `queue_p95_s` is the wait for a place.
    `tokens_per_s` are those of the answers; of embeddings (`kind`), those of the texts.
    """

    model: str
    host: str
    engine: str
    calls: int
    errors: int = 0
    error_rate: float | None = None
    p50_s: float | None = None
    p95_s: float | None = None
    p99_s: float | None = None
    first_token_p95_s: float | None = None
    queue_p95_s: float | None = None
    tokens_per_s: float | None = None
    kind: CallKind = "chat"


class Anomaly(Body):
    """An episode in which a series was not what it usually is; `until` is null while it lasts.

    `seconds_per_token` is a time per token (of the prompt a tenth of one), `errors` a share;
    `value` is what it was at its worst, `usual` what it was before.
    """

    model: str
    host: str
    metric: Literal["seconds_per_token", "errors"]
    since: Instant
    until: Instant | None = None
    value: float
    usual: float
    calls: int = 0
    kind: CallKind = "chat"


class Trend(Body):
    """The change a day, by the median of slopes (Theil-Sen) over `days` days; null is unknown.

    The cost is of all calls, the rest of chats.
    """

    what: Literal["calls", "tokens", "cost_usd", "seconds_per_call"]
    days: int
    mean: float | None = None
    per_day: float | None = None


class Forecast(Body):
    """The month as it should end: what is on the record, and the trend for the days left.

    `low` and `high` hold nineteen times of twenty if days scatter as they did. The cost is of all
    calls, the rest of chats.
    """

    what: Literal["calls", "tokens", "cost_usd"]
    month: str
    so_far: float
    expected: float | None = None
    low: float | None = None
    high: float | None = None


class MonitorReport(Body):
    """The answer of `model.monitor`; anomalies are the last hundred since the router started."""

    hours: float
    series: tuple[SeriesLine, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    trends: tuple[Trend, ...] = ()
    forecast: tuple[Forecast, ...] = ()
    bill_usd: UsDollars | None = None
    at: Instant = Field(default_factory=now)
