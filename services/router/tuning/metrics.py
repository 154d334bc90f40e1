"""The shares that recommendations promise to move, measured over calls of the record."""

from __future__ import annotations

from collections.abc import Callable

from services.router.recent import Recent, percentile
from shared.events import TuningChange, TuningMeasure
from shared.events.tuning import Verdict

ENOUGH = 20
"""Calls on each side, before which a difference says nothing."""
DIFFERENCE = 0.1
"""Of the value before: less than that is noise."""
LEAST = 0.01
"""A share below which differences do not matter to anyone."""
MORE_IS_BETTER = ("hits",)


def measure(recent: Recent, metric: str) -> TuningMeasure:
    """Return the metric with the speed and success that go with it."""
    judged, good = recent.judged, recent.good
    return TuningMeasure(
        calls=len(recent.rows),
        value=share(recent, metric),
        p50_s=percentile([row["total_s"] for row in good], 0.5),
        success=len(good) / len(judged) if judged else None,
    )


def share(recent: Recent, metric: str) -> float | None:
    """Return the metric 0..1, or None with nothing to measure (or for no known metric)."""
    found = METRICS.get(metric)
    return found(recent) if found else None


def verdict(change: TuningChange, after: TuningMeasure) -> Verdict:
    """Return what the change did to its metric."""
    before = change.measured_before
    if before is None or before.value is None or before.calls < ENOUGH:
        return "unknown"
    if after.value is None or after.calls < ENOUGH:
        return "measuring"
    moved = after.value - before.value
    if abs(moved) < max(LEAST, DIFFERENCE * before.value):
        return "same"
    return "better" if (moved > 0) == (change.metric in MORE_IS_BETTER) else "worse"


def _time(column: str) -> Callable[[Recent], float | None]:
    def measured(recent: Recent) -> float | None:
        total_s: float = sum(row["total_s"] for row in recent.good)
        part_s: float = sum(row[column] or 0.0 for row in recent.good)
        return part_s / total_s if total_s else None

    return measured


def _errors(code: str) -> Callable[[Recent], float | None]:
    def measured(recent: Recent) -> float | None:
        return recent.errors(code) / len(recent.rows) if recent.rows else None

    return measured


def _hits(recent: Recent) -> float | None:
    looks = [row["cache"] for row in recent.llm if row["cache"] != "off"]
    return sum(found != "miss" for found in looks) / len(looks) if looks else None


def _failed(recent: Recent) -> float | None:
    judged = len(recent.judged)
    return 1 - len(recent.good) / judged if judged else None


METRICS: dict[str, Callable[[Recent], float | None]] = {
    "load": _time("load_s"),
    "queue": _time("queue_s"),
    "cut": _errors("output_cut"),
    "too_long": _errors("input_too_long"),
    "hits": _hits,
    "failed": _failed,
}
