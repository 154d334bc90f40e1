"""The last chats of the record, and what can be counted in them."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from services.router.record import Record
from shared.events import Latency

LAST = 2000
CALLERS_FAULT = (
    "invalid_input",
    "cancelled",
    "refused",
    "input_too_long",
    "model_missing",
    "budget_exceeded",
)
"""Errors that say nothing about how well the engine works."""
QUERY = "SELECT * FROM calls WHERE kind = 'chat' ORDER BY id DESC LIMIT ?"


@dataclass(frozen=True, slots=True)
class Recent:
    """Rows, the latest first."""

    rows: tuple[sqlite3.Row, ...]

    @property
    def llm(self) -> list[sqlite3.Row]:
        """Calls of a model, answers from the cache included."""
        return [row for row in self.rows if row["is_llm"]]

    @property
    def judged(self) -> list[sqlite3.Row]:
        """Calls that reached a model, without those that failed by the caller's fault."""
        return [
            row
            for row in self.llm
            if row["cache"] in ("off", "miss") and row["error"] not in CALLERS_FAULT
        ]

    @property
    def good(self) -> list[sqlite3.Row]:
        """Judged calls that came to an answer."""
        return [row for row in self.judged if row["error"] is None]

    def errors(self, code: str) -> int:
        """Count the failures with this code."""
        return sum(row["error"] == code for row in self.rows)

    def latency(self) -> tuple[Latency, ...]:
        """Return the percentiles of each model's answers, by engine and name."""
        groups: dict[tuple[str, str], list[sqlite3.Row]] = defaultdict(list)
        for row in self.judged:
            groups[row["engine"], row["model"]].append(row)
        return tuple(_latency(*key, groups[key]) for key in sorted(groups))


async def read(record: Record) -> Recent:
    """Return the last chats."""
    return Recent(tuple(await record.rows(QUERY, LAST)))


async def between(record: Record, since: datetime | None, until: datetime | None) -> Recent:
    """Return the last chats of a time; None is an open end."""
    ends = (since.isoformat() if since else "", until.isoformat() if until else "~")
    query = (
        "SELECT * FROM calls WHERE kind = 'chat' AND at >= ? AND at < ? ORDER BY id DESC LIMIT ?"
    )
    return Recent(tuple(await record.rows(query, *ends, LAST)))


def percentile(values: list[float], share: float) -> float | None:
    """Return the nearest-rank percentile: the smallest value with `share` of all at or below it."""
    if not values:
        return None
    rank = max(1, -(-len(values) * round(share * 100) // 100))
    return sorted(values)[rank - 1]


def _latency(engine: str, model: str, rows: list[sqlite3.Row]) -> Latency:
    good = [row for row in rows if row["error"] is None]
    seconds = [row["total_s"] for row in good]
    spoken_s = sum(row["eval_s"] or 0.0 for row in good)
    tokens = sum(row["completion_tokens"] for row in good if row["eval_s"])
    return Latency(
        model=model,
        engine=engine,
        calls=len(rows),
        errors=len(rows) - len(good),
        p50_s=percentile(seconds, 0.50),
        p95_s=percentile(seconds, 0.95),
        p99_s=percentile(seconds, 0.99),
        tokens_per_s=tokens / spoken_s if spoken_s else None,
    )
