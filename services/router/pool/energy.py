"""What a host's answers cost in energy: its busy time, shared by those who ran at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

JOULES_PER_KWH = Decimal(3_600_000)
PICO = Decimal("1e-12")


class Meter:
    """Each answer pays for its share of the busy time, so that the sum is the busy time.

    `watts` and `usd_per_kwh` are the owner's figures; without both, energy is not counted (0).
    """

    def __init__(
        self,
        watts: float | None,
        usd_per_kwh: Decimal | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        known = watts is not None and usd_per_kwh is not None
        rate = Decimal(str(watts)) * (usd_per_kwh or 0) / JOULES_PER_KWH if known else Decimal(0)
        self._usd_per_s = rate
        self._clock = clock
        self._running = 0
        self._shares_s = 0.0
        self._at = clock()

    def begin(self) -> float:
        """A request starts; keep what this returns for `end`."""
        self._advance()
        self._running += 1
        return self._shares_s

    def end(self, begun: float) -> Decimal:
        """It ends: return its cost in US dollars, to the picodollar."""
        self._advance()
        self._running -= 1
        seconds = Decimal(str(round(self._shares_s - begun, 9)))
        return (self._usd_per_s * seconds).quantize(PICO) if self._usd_per_s else Decimal(0)

    def _advance(self) -> None:
        at = self._clock()
        if self._running:
            self._shares_s += (at - self._at) / self._running
        self._at = at
