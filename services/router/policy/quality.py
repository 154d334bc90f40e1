"""How well each model did at each kind of work, by the record: rates with their uncertainty."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from services.router.record import Record
from shared.clock import now

DAYS = 30
EVERY_S = 30.0
ENOUGH = 20
"""Calls, before which a model counts as not measured."""
Z = 1.96
"""Of the 95 % interval."""

CALLS = """
    SELECT model, agent, SUM(calls) AS calls,
           SUM(CASE WHEN error IN ('output_invalid', 'output_cut') THEN calls ELSE 0 END) AS bad,
           SUM(CASE WHEN error = 'output_invalid' THEN calls ELSE 0 END) AS invalid,
           SUM(CASE WHEN error = 'output_cut' THEN calls ELSE 0 END) AS cut,
           SUM(CASE WHEN error IS NULL THEN total_s - queue_s ELSE 0 END) AS seconds,
           SUM(CASE WHEN error IS NULL THEN calls ELSE 0 END) AS good
      FROM history
     WHERE at >= ? AND kind = 'chat' AND is_llm = 1 AND cache IN ('off', 'miss')
       AND (error IS NULL OR error IN ('output_invalid', 'output_cut'))
     GROUP BY model, agent
"""
STEPS = """
    SELECT model, agent, COUNT(*) AS steps, SUM(NOT verified) AS failed
      FROM steps WHERE at >= ? GROUP BY model, agent
"""


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one model at one kind of work (an agent's, or all: empty)."""

    calls: int = 0
    invalid: int = 0
    cut: int = 0
    steps: int = 0
    failed: int = 0
    seconds: float = 0.0
    answered: int = 0

    def plus(self, other: Score) -> Score:
        """Return both together."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return Score(*(one + two for one, two in pairs))

    @property
    def known(self) -> bool:
        """Whether there are enough calls to judge."""
        return self.calls >= ENOUGH

    @property
    def good(self) -> float | None:
        """The share of calls and steps that came out well."""
        tries = self.calls + self.steps
        return 1 - (self.invalid + self.cut + self.failed) / tries if tries else None

    @property
    def surely(self) -> float:
        """The least share that is compatible with the counts: the Wilson score's lower bound."""
        tries = self.calls + self.steps
        return wilson(tries - self.invalid - self.cut - self.failed, tries)

    @property
    def mean_s(self) -> float | None:
        """Seconds per answer, without the queue."""
        return self.seconds / self.answered if self.answered else None


def wilson(good: int, tries: int) -> float:
    """Return the lower bound of the 95 % interval of a share (E. B. Wilson, 1927)."""
    if not tries:
        return 0.0
    share = good / tries
    middle = share + Z * Z / (2 * tries)
    spread = Z * math.sqrt(share * (1 - share) / tries + Z * Z / (4 * tries * tries))
    return max(0.0, (middle - spread) / (1 + Z * Z / tries))


class Quality:
    """Scores by model and kind of work; read anew every half minute."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._scores: dict[tuple[str, str], Score] = {}

    async def run(self) -> None:
        """Read for ever."""
        while True:
            await self.read()
            await asyncio.sleep(EVERY_S)

    async def read(self) -> None:
        """Read the scores of the last days."""
        since = (now() - timedelta(days=DAYS)).isoformat()
        found: dict[tuple[str, str], Score] = defaultdict(Score)
        for query in (CALLS, STEPS):
            for row in await self._record.rows(query, since):
                score = _score(row)
                for kind in {"", row["agent"] or ""}:
                    key = (row["model"], kind)
                    found[key] = found[key].plus(score)
        self._scores = dict(found)

    def score(self, model: str, kind: str) -> Score:
        """Return the score at this kind of work, or over all work when that is not measured."""
        own = self._scores.get((model, kind))
        return own if own and own.known else self._scores.get((model, ""), Score())

    def table(self) -> dict[tuple[str, str], Score]:
        """Return all scores by model and kind; kind is empty for all work."""
        return self._scores


def _score(row: sqlite3.Row) -> Score:
    if "steps" in row.keys():  # noqa: SIM118 - a row is no mapping
        return Score(steps=row["steps"], failed=row["failed"])
    return Score(
        calls=row["calls"],
        invalid=row["invalid"],
        cut=row["cut"],
        seconds=row["seconds"],
        answered=row["good"],
    )
