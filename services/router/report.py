"""The optimisation report: how well the model is used, in parts that are measured."""

from __future__ import annotations

from services.router.advice import ENOUGH, advice
from services.router.recent import Recent
from shared.events import CacheStatus, OptimizationReport
from shared.settings import RouterSettings

WEIGHTS = {"success": 0.4, "no_waiting": 0.3, "reuse": 0.2, "warm": 0.1}
"""What each part counts in the efficiency."""


def report(recent: Recent, cache: CacheStatus, settings: RouterSettings) -> OptimizationReport:
    """Return the report on the last calls."""
    parts = measure(recent, cache)
    return OptimizationReport(
        efficiency=efficiency(parts),
        parts=parts,
        cache=cache,
        latency=recent.latency(),
        recommendations=advice(recent, cache, settings),
    )


def measure(recent: Recent, cache: CacheStatus) -> dict[str, float | None]:
    """Return each part, 0..1, or null when there is nothing to judge.

    success: judged calls that came to an answer. no_waiting: 1 - time in the queue / total time.
    reuse: looks into the cache that found an answer, from 20 looks on. warm: 1 - time loading the
    model / total time.
    """
    good = recent.good
    total_s = sum(row["total_s"] for row in good)
    return {
        "success": _share(len(good), len(recent.judged)),
        "no_waiting": _rest(sum(row["queue_s"] for row in good), total_s),
        "reuse": cache.hit_rate if _looks(cache) >= ENOUGH else None,
        "warm": _rest(sum(row["load_s"] or 0.0 for row in good), total_s),
    }


def efficiency(parts: dict[str, float | None]) -> float | None:
    """Return 100 x the weighted mean of the known parts; null without a call to judge."""
    if parts["success"] is None:
        return None
    known = {name: value for name, value in parts.items() if value is not None}
    weight = sum(WEIGHTS[name] for name in known)
    return round(100 * sum(WEIGHTS[name] * value for name, value in known.items()) / weight, 1)


def _looks(cache: CacheStatus) -> int:
    return cache.hits + cache.misses + cache.coalesced


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _rest(part: float, whole: float) -> float | None:
    return max(0.0, 1 - part / whole) if whole else None
