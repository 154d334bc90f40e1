"""How long a host takes for a model's answers: an average that forgets."""

from __future__ import annotations

import time
from collections.abc import Callable

RISE = 0.5
FALL = 0.25
"""Shares of a new sample: slowness is believed sooner than speed (peak EWMA)."""
HALF_LIFE_S = 120.0
"""After so long without a sample half of the difference to the pool's best is forgiven, so that
a host that was slow once is tried again."""
MOST_MODELS = 64


class Speed:
    """Seconds per answer, by model."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds: dict[str, tuple[float, float]] = {}

    def took(self, model: str, seconds: float) -> None:
        """Take an answer's time in."""
        before, _ = self._seconds.pop(model, (seconds, 0.0))
        share = RISE if seconds > before else FALL
        self._seconds[model] = (before + share * (seconds - before), self._clock())
        if len(self._seconds) > MOST_MODELS:
            del self._seconds[next(iter(self._seconds))]

    def known(self, model: str) -> float | None:
        """Return the average as measured, or None."""
        found = self._seconds.get(model)
        return found[0] if found else None

    def table(self) -> dict[str, float]:
        """Return the averages by model, to the millisecond."""
        return {model: round(seconds, 3) for model, (seconds, _) in self._seconds.items()}

    def expected(self, model: str, best: float) -> float:
        """Return what the next answer should take; `best` is the pool's best average."""
        found = self._seconds.get(model)
        if found is None:
            return best
        seconds, at = found
        kept: float = 0.5 ** ((self._clock() - at) / HALF_LIFE_S)
        return best + max(0.0, seconds - best) * kept
