"""Trends of days, by the median of slopes: outliers do not bend them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from shared.events import Trend

DAYS = 28
ENOUGH = 5
"""Whole days, before which nothing is told."""
NORMAL = 1.4826


class Line(NamedTuple):
    """value = level + slope x day, days counted from the last one; `spread` of a day around it."""

    level: float
    slope: float
    spread: float


def fitted(values: Sequence[float]) -> Line | None:
    """Return the Theil-Sen line through daily values, the last of them day 0 (P. K. Sen, 1968)."""
    if len(values) < ENOUGH:
        return None
    days = range(1 - len(values), 1)
    points = list(zip(days, values, strict=True))
    slopes = [
        (second - first) / (b - a)
        for n, (a, first) in enumerate(points)
        for b, second in points[n + 1 :]
    ]
    slope = statistics.median(slopes)
    level = statistics.median(value - slope * day for day, value in points)
    rests = [abs(value - level - slope * day) for day, value in points]
    return Line(level, slope, NORMAL * statistics.median(rests))


def trend(what: str, values: Sequence[float]) -> Trend:
    """Return the change a day."""
    line = fitted(values)
    return Trend.model_validate(
        {
            "what": what,
            "days": len(values),
            "mean": statistics.fmean(values) if values else None,
            "per_day": line.slope if line else None,
        }
    )


def filled(by_day: dict[str, float], today: date) -> list[float]:
    """Return the values of the whole days before today, days without calls as 0.

    It begins with the first day that has any, at most `DAYS` ago.
    """
    days = [today - timedelta(days=n) for n in range(DAYS, 0, -1)]
    values = [by_day.get(day.isoformat(), 0.0) for day in days]
    first = next((n for n, day in enumerate(days) if day.isoformat() in by_day), len(days))
    return values[first:]
