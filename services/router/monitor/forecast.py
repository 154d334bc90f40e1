"""Trends of days, by the median of slopes: outliers do not bend them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import date, timedelta

from shared.events import Trend

DAYS = 28
ENOUGH = 5
"""Whole days, before which nothing is told."""


def slope(values: Sequence[float]) -> float | None:
    """Return the change from day to day by the median of slopes (Theil-Sen; P. K. Sen, 1968)."""
    if len(values) < ENOUGH:
        return None
    return statistics.median(
        (later - value) / days
        for n, value in enumerate(values)
        for days, later in enumerate(values[n + 1 :], 1)
    )


def trend(what: str, values: Sequence[float]) -> Trend:
    """Return the change a day."""
    return Trend.model_validate(
        {
            "what": what,
            "days": len(values),
            "mean": statistics.fmean(values) if values else None,
            "per_day": slope(values),
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
