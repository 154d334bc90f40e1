"""Which remedy works for which symptom: counted outcomes as Beta posteriors. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared.events.ops import OpsEvent

PRIOR_STEP = 0.5
"""How much less the cold start trusts each later remedy of the policy's order."""


@dataclass
class Tally:
    """Outcomes of one remedy for one symptom."""

    worked: int = 0
    failed: int = 0


class Lessons:
    """Learns from `outcome` entries of the record; the same entries teach the same lessons."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], Tally] = {}

    def learn(self, event: OpsEvent) -> None:
        """Take an entry; only outcomes of a remedy for a symptom teach anything."""
        if event.kind != "outcome" or event.symptom is None or event.remedy is None:
            return
        tally = self._tallies.setdefault((event.symptom, event.remedy), Tally())
        if event.outcome == "recovered":
            tally.worked += 1
        else:
            tally.failed += 1

    def expected(self, symptom: str, remedy: str, place: int = 0) -> float:
        """Return the mean of the Beta posterior, 0..1; `place` is the remedy's in the policy.

        The prior is Beta(2 / (1 + place/2), 1): without outcomes the policy's order holds.
        """
        tally = self._tallies.get((symptom, remedy), Tally())
        alpha = 2.0 / (1.0 + PRIOR_STEP * place) + tally.worked
        return alpha / (alpha + 1.0 + tally.failed)
