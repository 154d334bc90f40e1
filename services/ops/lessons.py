"""Which remedy works for which symptom: counted outcomes as Beta posteriors. Pure.

The next remedy is drawn by Thompson's rule (Biometrika 1933): one draw from each posterior, the
highest wins; so what works is done most, and what is little known is tried now and then.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from shared.events.ops import Lesson, OpsEvent

TRUST = 4.0
"""Weight of the policy's first remedy, in outcomes: Beta(4, 1), then Beta(2, 2), Beta(4/3, 3)."""

BAND = 0.9
NOT_DONE = "not done"
"""How an outcome begins when the command never took effect: that says nothing of the remedy."""


@dataclass
class Tally:
    """Outcomes of one remedy for one symptom."""

    worked: int = 0
    failed: int = 0


class Lessons:
    """Learns from `outcome` entries of the record; the same entries teach the same lessons."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._chance = chance or random.Random()

    def learn(self, event: OpsEvent) -> None:
        """Take an entry; only outcomes of a remedy for a symptom teach anything."""
        if event.kind != "outcome" or event.symptom is None or event.remedy in (None, "none"):
            return
        if (event.outcome or "").startswith(NOT_DONE):
            return
        tally = self._tallies.setdefault((event.symptom, str(event.remedy)), Tally())
        if event.outcome == "recovered":
            tally.worked += 1
        else:
            tally.failed += 1

    def choose(self, symptom: str, order: Sequence[str], left: Sequence[str]) -> str:
        """Return one of `left`: the policy's first without any outcome, else the highest draw."""
        if not any((symptom, remedy) in self._tallies for remedy in order):
            return left[0]
        return max(left, key=lambda remedy: self._draw(symptom, remedy, order.index(remedy)))

    def expected(self, symptom: str, remedy: str, place: int = 0) -> float:
        """Return the mean of the posterior, 0..1; `place` is the remedy's in the policy."""
        alpha, beta = self._posterior(symptom, remedy, place)
        return alpha / (alpha + beta)

    def told(self, orders: Iterable[tuple[str, Sequence[str]]]) -> tuple[Lesson, ...]:
        """Return every pair of the policy, and others with outcomes, with its posterior."""
        pairs = {(s, r): place for s, order in orders for place, r in enumerate(order)}
        for symptom, remedy in self._tallies:
            pairs.setdefault((symptom, remedy), 0)
        return tuple(self._lesson(symptom, remedy, at) for (symptom, remedy), at in pairs.items())

    def _draw(self, symptom: str, remedy: str, place: int) -> float:
        return self._chance.betavariate(*self._posterior(symptom, remedy, place))

    def _posterior(self, symptom: str, remedy: str, place: int) -> tuple[float, float]:
        tally = self._tallies.get((symptom, remedy), Tally())
        return TRUST / (1.0 + place) + tally.worked, 1.0 + place + tally.failed

    def _lesson(self, symptom: str, remedy: str, place: int) -> Lesson:
        alpha, beta = self._posterior(symptom, remedy, place)
        low, high = band(alpha, beta)
        tally = self._tallies.get((symptom, remedy), Tally())
        return Lesson(
            symptom=symptom,
            remedy=remedy,
            worked=tally.worked,
            failed=tally.failed,
            alpha=round(alpha, 3),
            beta=round(beta, 3),
            expected=round(alpha / (alpha + beta), 4),
            low=round(low, 4),
            high=round(high, 4),
        )


def band(alpha: float, beta: float) -> tuple[float, float]:
    """Return the middle `BAND` of Beta(alpha, beta), by its normal approximation, within 0..1."""
    total = alpha + beta
    mean = alpha / total
    deviation = (alpha * beta / (total * total * (total + 1.0))) ** 0.5
    reach = NormalDist().inv_cdf(0.5 + BAND / 2) * deviation
    return max(0.0, mean - reach), min(1.0, mean + reach)
