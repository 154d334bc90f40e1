"""Answers `model.monitor` from the record and from what was watched."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from services.router.monitor.forecast import DAYS, filled, trend
from services.router.monitor.month import Foretold, Now, month_end
from services.router.monitor.watch import Monitor
from services.router.recent import Recent, percentile
from services.router.record import Record, dollars
from shared.clock import now
from shared.events import CallKind, Forecast, MonitorAsk, MonitorReport, SeriesLine, Trend

MOST = 20_000
"""Calls of each kind that percentiles are taken over, the latest."""
KINDS: tuple[CallKind, ...] = ("chat", "embed")
CALLS = "SELECT * FROM calls WHERE at >= ? AND kind = ? AND is_llm = 1 ORDER BY id DESC LIMIT ?"
BY_DAY = """
    SELECT day, kind, SUM(good * calls) AS calls,
           SUM(good * (prompt_tokens + completion_tokens)) AS tokens, SUM(cost_pico) AS cost,
           SUM(good * unpriced) AS unpriced, SUM(good * (total_s - queue_s)) AS seconds
      FROM (SELECT *, error IS NULL AS good FROM history)
     WHERE day >= ? AND is_llm = 1 AND cache IN ('off', 'miss') AND (good OR cost_pico > 0)
     GROUP BY day, kind ORDER BY day
"""
"""The cost has what clouds may have charged for calls that failed; the rest is of answers."""


class Spent(NamedTuple):
    """Picodollars of a day, and its calls of which nobody knows the price."""

    pico: int
    unpriced: int


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
        found = [Recent(tuple(await self.record.rows(CALLS, since, k, MOST))) for k in KINDS]
        at = now()
        today = at.date()
        start = min(today.replace(day=1), today - timedelta(days=DAYS))
        rows = await self.record.rows(BY_DAY, start.isoformat())
        chats = {row["day"]: row for row in rows if row["kind"] == "chat"}
        spent = _spent(rows)
        return MonitorReport(
            hours=ask.hours,
            series=tuple(line for one in found for line in series(one)),
            anomalies=self.monitor.anomalies(),
            trends=_trends(chats, spent, today),
            forecast=_forecast(chats, spent, at),
            bill_usd=_bill(spent, today),
        )


def series(found: Recent) -> tuple[SeriesLine, ...]:
    """Return a line for each model on each host, by name."""
    groups: dict[tuple[str, str, str, CallKind], list[sqlite3.Row]] = defaultdict(list)
    for row in found.judged:
        groups[row["model"], row["host"], row["engine"], row["kind"]].append(row)
    return tuple(_line(*key, groups[key]) for key in sorted(groups))


def _line(
    model: str, host: str, engine: str, kind: CallKind, rows: list[sqlite3.Row]
) -> SeriesLine:
    good = [row for row in rows if row["error"] is None]
    seconds = [row["total_s"] - row["queue_s"] for row in good]
    first = [row["first_token_s"] for row in good if row["first_token_s"] is not None]
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
        tokens_per_s=_read_per_s(good) if kind == "embed" else _spoken_per_s(good),
        kind=kind,
    )


def _spoken_per_s(good: list[sqlite3.Row]) -> float | None:
    spoken_s = sum(row["eval_s"] or 0.0 for row in good)
    tokens = sum(row["completion_tokens"] for row in good if row["eval_s"])
    return tokens / spoken_s if spoken_s else None


def _read_per_s(good: list[sqlite3.Row]) -> float | None:
    read_s = sum(row["total_s"] - row["queue_s"] - (row["load_s"] or 0.0) for row in good)
    tokens: int = sum(row["prompt_tokens"] for row in good)
    return tokens / read_s if read_s > 0 else None


def _spent(rows: Iterable[sqlite3.Row]) -> dict[str, Spent]:
    """Return what each day cost, all kinds of calls together."""
    found: dict[str, Spent] = {}
    for row in rows:
        before = found.get(row["day"], Spent(0, 0))
        pico, unpriced = row["cost"] or 0, row["unpriced"] or 0
        found[row["day"]] = Spent(before.pico + pico, before.unpriced + unpriced)
    return found


def _trends(days: Days, spent: dict[str, Spent], today: date) -> tuple[Trend, ...]:
    means = [
        row["seconds"] / row["calls"]
        for day, row in days.items()
        if row["calls"] and day < today.isoformat()
    ]
    sums = [trend(what, filled(_values(days, what), today)) for what in ("calls", "tokens")]
    return (
        *sums,
        trend("cost_usd", _costs(spent, today)),
        trend("seconds_per_call", means[-DAYS:]),
    )


def _forecast(days: Days, spent: dict[str, Spent], at: datetime) -> tuple[Forecast, ...]:
    sums = [_end(what, _values(days, what), at) for what in FORETOLD]
    if _bill(spent, at.date()) is None:
        return tuple(sums)
    costs = {day: float(dollars(one.pico) or 0) for day, one in spent.items()}
    unknown = any(one.unpriced for one in spent.values())
    return (*sums, _end("cost_usd", costs, at, unknown))


def _end(what: Foretold, by_day: dict[str, float], at: datetime, unknown: bool = False) -> Forecast:
    """Return the end of the month; with an `unknown` day among them only what it came to so far."""
    today = at.date()
    so_far = sum(value for day, value in by_day.items() if day.startswith(f"{today:%Y-%m}"))
    before = [] if unknown else filled(by_day, today)
    return month_end(what, before, Now(at, so_far, by_day.get(today.isoformat(), 0.0)))


def _values(days: Days, what: str) -> dict[str, float]:
    return {day: float(row[what] or 0) for day, row in days.items()}


def _costs(spent: dict[str, Spent], today: date) -> list[float]:
    """Return the cost of each day; none at all when one of them is unknown."""
    if any(day.unpriced for day in spent.values()):
        return []
    return filled({at: float(dollars(day.pico) or 0) for at, day in spent.items()}, today)


def _bill(spent: dict[str, Spent], today: date) -> Decimal | None:
    """Return what the month cost so far, or None when the cost of a call is unknown."""
    days = [day for at, day in spent.items() if at.startswith(f"{today:%Y-%m}")]
    if any(day.unpriced for day in days):
        return None
    return dollars(sum(day.pico for day in days))
