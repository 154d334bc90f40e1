"""Answers `model.monitor` from the record and from what was watched."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from services.router.monitor.forecast import DAYS, filled, trend
from services.router.monitor.month import Foretold, Now, month_end
from services.router.monitor.watch import Monitor
from services.router.recent import Recent, percentile
from services.router.record import Record, dollars
from shared.clock import now
from shared.events import Forecast, MonitorAsk, MonitorReport, SeriesLine, Trend

MOST = 20_000
"""Calls that percentiles are taken over, the latest."""
CALLS = "SELECT * FROM calls WHERE at >= ? AND is_llm = 1 ORDER BY id DESC LIMIT ?"
BY_DAY = """
    SELECT day, SUM(good * calls) AS calls,
           SUM(good * (prompt_tokens + completion_tokens)) AS tokens, SUM(cost_pico) AS cost,
           SUM(good * unpriced) AS unpriced, SUM(good * (total_s - queue_s)) AS seconds
      FROM (SELECT *, error IS NULL AS good FROM history)
     WHERE day >= ? AND is_llm = 1 AND cache IN ('off', 'miss') AND (good OR cost_pico > 0)
     GROUP BY day ORDER BY day
"""
"""The cost has what clouds may have charged for calls that failed; the rest is of answers."""


Days = dict[str, sqlite3.Row]
FORETOLD: tuple[Foretold, ...] = ("calls", "tokens")


@dataclass(frozen=True, slots=True)
class Reporter:
    """Reads; changes nothing."""

    record: Record
    monitor: Monitor

    async def answer(self, ask: MonitorAsk) -> MonitorReport:
        """Return figures, anomalies, trends and forecasts."""
        since = (now() - timedelta(hours=ask.hours)).isoformat()
        found = Recent(tuple(await self.record.rows(CALLS, since, MOST)))
        at = now()
        today = at.date()
        start = min(today.replace(day=1), today - timedelta(days=DAYS))
        days = {row["day"]: row for row in await self.record.rows(BY_DAY, start.isoformat())}
        return MonitorReport(
            hours=ask.hours,
            series=series(found),
            anomalies=self.monitor.anomalies(),
            trends=_trends(days, today),
            forecast=_forecast(days, at),
            bill_usd=_bill(days, today),
        )


def series(found: Recent) -> tuple[SeriesLine, ...]:
    """Return a line for each model on each host, by name."""
    groups: dict[tuple[str, str, str], list[sqlite3.Row]] = defaultdict(list)
    for row in found.judged:
        groups[row["model"], row["host"], row["engine"]].append(row)
    return tuple(_line(*key, groups[key]) for key in sorted(groups))


def _line(model: str, host: str, engine: str, rows: list[sqlite3.Row]) -> SeriesLine:
    good = [row for row in rows if row["error"] is None]
    seconds = [row["total_s"] - row["queue_s"] for row in good]
    first = [row["first_token_s"] for row in good if row["first_token_s"] is not None]
    spoken_s = sum(row["eval_s"] or 0.0 for row in good)
    tokens = sum(row["completion_tokens"] for row in good if row["eval_s"])
    return SeriesLine(
        model=model,
        host=host,
        engine=engine,
        calls=len(rows),
        errors=len(rows) - len(good),
        error_rate=(len(rows) - len(good)) / len(rows),
        p50_s=percentile(seconds, 0.50),
        p95_s=percentile(seconds, 0.95),
        p99_s=percentile(seconds, 0.99),
        first_token_p95_s=percentile(first, 0.95),
        queue_p95_s=percentile([row["queue_s"] for row in good], 0.95),
        tokens_per_s=tokens / spoken_s if spoken_s else None,
    )


def _trends(days: Days, today: date) -> tuple[Trend, ...]:
    means = [
        row["seconds"] / row["calls"]
        for day, row in days.items()
        if row["calls"] and day < today.isoformat()
    ]
    sums = [trend(what, filled(_values(days, what), today)) for what in ("calls", "tokens")]
    return (*sums, trend("cost_usd", _costs(days, today)), trend("seconds_per_call", means[-DAYS:]))


def _forecast(days: Days, at: datetime) -> tuple[Forecast, ...]:
    sums = [_end(what, _values(days, what), at) for what in FORETOLD]
    if _bill(days, at.date()) is None:
        return tuple(sums)
    costs = {day: float(dollars(row["cost"] or 0) or 0) for day, row in days.items()}
    unknown = any(row["unpriced"] for row in days.values())
    return (*sums, _end("cost_usd", costs, at, unknown))


def _end(what: Foretold, by_day: dict[str, float], at: datetime, unknown: bool = False) -> Forecast:
    """Return the end of the month; with an `unknown` day among them only what it came to so far."""
    today = at.date()
    so_far = sum(value for day, value in by_day.items() if day.startswith(f"{today:%Y-%m}"))
    before = [] if unknown else filled(by_day, today)
    return month_end(what, before, Now(at, so_far, by_day.get(today.isoformat(), 0.0)))


def _values(days: Days, what: str) -> dict[str, float]:
    return {day: float(row[what] or 0) for day, row in days.items()}


def _costs(days: Days, today: date) -> list[float]:
    """Return the cost of each day; none at all when one of them is unknown."""
    if any(row["unpriced"] for row in days.values()):
        return []
    return filled({d: float(dollars(r["cost"] or 0) or 0) for d, r in days.items()}, today)


def _bill(days: Days, today: date) -> Decimal | None:
    """Return what the month cost so far, or None when the cost of a call is unknown."""
    rows = [row for day, row in days.items() if day.startswith(f"{today:%Y-%m}")]
    if any(row["unpriced"] for row in rows):
        return None
    return dollars(sum(row["cost"] or 0 for row in rows))
