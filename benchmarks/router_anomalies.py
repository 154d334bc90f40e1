"""Precision and recall of the monitor's anomalies on seeded series with injected faults.

`python -m benchmarks router_anomalies`. Each series has 2,000 answers with lognormal noise, a
daily swing and single outliers; faults: a burst (x4, 20 answers), a shift (x2, 120), a drift (to
x2.5 within 250), and for outcomes one error in three for 40. An episode counts as right when it
begins within a fault (or 20 answers after it). Beside ours: three sigma over a rolling mean.
"""

from __future__ import annotations

import math
import random
import statistics
from collections import deque
from collections.abc import Callable, Iterable

from benchmarks.table import show
from services.router.monitor.detector import Detector, ErrorDetector

FIRST = 100
"""Seeds below were used to choose the limits; these were not."""
SERIES = 60
LENGTH = 2000
LATE = 20
Fault = tuple[str, int, int]


def times(seed: int) -> tuple[list[float], list[Fault]]:
    """Return one series of seconds per token, and its faults."""
    dice = random.Random(seed)
    spread = dice.uniform(0.15, 0.4)
    values = [
        0.02 * math.exp(dice.gauss(0, spread) + 0.15 * math.sin(2 * math.pi * n / 1000))
        for n in range(LENGTH)
    ]
    for n in dice.sample(range(LENGTH), LENGTH // 100):
        values[n] *= dice.uniform(3, 20)
    faults: list[Fault] = []
    if seed % 4:
        kind, length = [("burst", 20), ("shift", 120), ("drift", 250)][seed % 4 - 1]
        start = dice.randrange(400, LENGTH - length - 300)
        for n in range(length):
            factor = {"burst": 4.0, "shift": 2.0, "drift": 1 + 1.5 * n / length}[kind]
            values[start + n] *= factor
        faults.append((kind, start, start + length))
    return values, faults


def outcomes(seed: int) -> tuple[list[bool], list[Fault]]:
    """Return one series of failures, and its faults."""
    dice = random.Random(1000 + seed)
    rate = dice.choice([0.0, 0.005, 0.02])
    found = [dice.random() < rate for _ in range(LENGTH)]
    faults: list[Fault] = []
    if seed % 2:
        start = dice.randrange(200, LENGTH - 300)
        for n in range(start, start + 40):
            found[n] = dice.random() < 1 / 3
        faults.append(("errors", start, start + 40))
    return found, faults


class ThreeSigma:
    """What a first attempt does: a value above mean + 3 standard deviations of the last 100."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=100)
        self.abnormal = False

    def take(self, value: float) -> bool:
        before, known = self.abnormal, len(self._last) >= 40
        if known:
            limit = statistics.fmean(self._last) + 3 * statistics.pstdev(self._last)
            self.abnormal = value > limit
        self._last.append(float(value))
        return self.abnormal and not before


def begun(detector: Detector | ErrorDetector | ThreeSigma, values: Iterable[float]) -> list[int]:
    """Return where episodes began."""
    return [n for n, value in enumerate(values) if detector.take(value) and detector.abnormal]


def score(
    made: Callable[[], Detector | ErrorDetector | ThreeSigma],
    series: Callable[[int], tuple[list[float], list[Fault]]],
) -> dict[str, object]:
    """Return counts over all series."""
    right = false = found = total = 0
    delays = []
    for seed in range(FIRST, FIRST + SERIES):
        values, faults = series(seed)
        starts = begun(made(), values)
        inside = [n for n in starts if any(a <= n <= b + LATE for _, a, b in faults)]
        right, false = right + len(inside), false + len(starts) - len(inside)
        for _, first, last in faults:
            total += 1
            hits = [n for n in starts if first <= n <= last + LATE]
            found += bool(hits)
            delays += [hits[0] - first] if hits else []
    return {
        "faults": total,
        "found": found,
        "recall": found / total,
        "precision": right / max(1, right + false),
        "false alarms in 10,000": 10_000 * false / (SERIES * LENGTH),
        "median delay": statistics.median(delays) if delays else None,
    }


def run() -> None:
    """Print the table."""
    rows = []
    for what, series, made in (
        ("times", times, (("ours", Detector), ("three sigma", ThreeSigma))),
        ("errors", outcomes, (("ours", ErrorDetector), ("three sigma", ThreeSigma))),
    ):
        for name, kind in made:
            rows.append({"series": what, "detector": name} | score(kind, series))  # type: ignore[arg-type]
    show("router_anomalies", "Anomalies: precision and recall on seeded series", rows)
