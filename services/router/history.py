"""Sums of calls by day, kept beside them: what is asked of a long time reads these alone.

A trigger adds each call as it is written, so that sums and calls never differ; old calls can go,
and no question about totals takes longer for a million calls than for a hundred.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from datetime import timedelta
from pathlib import Path

from shared.clock import now

log = logging.getLogger(__name__)

GROUPS = (
    "tenant", "agent", "caller", "source", "engine", "model", "host", "is_llm", "own_host",
    "cache", "error", "structured", "kind", "run",
)  # fmt: skip
"""What a daily sum is told apart by; what a call does not have is the empty text there."""
SUMS = (
    "prompt_tokens", "completion_tokens", "total_s", "queue_s", "eval_s", "cost_pico", "texts",
)  # fmt: skip
DEFAULTS = {"kind": "'chat'", "texts": "0", "run": "0", "since": "''"}
"""Of what sums of before do not have."""
EVERY_S = 3600.0
SPARE = 0.9
"""Of the most calls: so many are left when there were too many, so that this happens seldom."""


def _default(name: str) -> str:
    return f" DEFAULT {DEFAULTS[name]}" if name in DEFAULTS else ""


_NAMES = ", ".join(GROUPS)
_COUNTS = ", ".join(("calls", "unpriced", *SUMS))
_ADDED = ", ".join(f"{name} = {name} + excluded.{name}" for name in ("calls", "unpriced", *SUMS))

_DAYS = f"""
    CREATE TABLE IF NOT EXISTS days (
        day TEXT NOT NULL,
        {", ".join(f"{name} NOT NULL{_default(name)}" for name in GROUPS)},
        calls INTEGER NOT NULL, unpriced INTEGER NOT NULL,
        {", ".join(f"{name} NOT NULL{_default(name)}" for name in SUMS)},
        since TEXT NOT NULL{_default("since")},
        PRIMARY KEY (day, {_NAMES})
    ) WITHOUT ROWID
"""
_VIEW = f"""
    CREATE VIEW history AS
        SELECT day, COALESCE(NULLIF(since, ''), day || 'T00:00:00+00:00') AS at,
               {", ".join(f"NULLIF({name}, '') AS {name}" for name in GROUPS)}, {_COUNTS}
          FROM days
"""  # noqa: S608 - our own column names
"""`history` has the sums; each line counts for `calls` calls, the first of them `at`."""


def _adding(row: str, source: str) -> str:
    """Return what adds calls to the sums, each for itself: columns of `row`, from `source`."""
    groups = ", ".join(f"COALESCE({row}{name}, '')" for name in GROUPS)
    sums = ", ".join(f"COALESCE({row}{name}, 0)" for name in SUMS)
    return f"""
        INSERT INTO days (day, {_NAMES}, {_COUNTS}, since)
        SELECT substr({row}at, 1, 10), {groups}, 1, {row}cost_pico IS NULL, {sums}, {row}at
          {source} WHERE true
            ON CONFLICT (day, {_NAMES})
            DO UPDATE SET {_ADDED}, since = MIN(since, excluded.since)
    """


_FILL = _adding("", "FROM calls")
_TRIGGER = f"CREATE TRIGGER summed AFTER INSERT ON calls BEGIN {_adding('NEW.', '')}; END"
TABLE = "SELECT name FROM pragma_table_info('days')"
TRIGGER = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name = 'summed'"


def declaration(there: list[str], complete: bool) -> list[str]:
    """Return what makes table, view and trigger; `there` are the columns of a table of before.

    What a day's sums are told apart by is the table's primary key, so a new column means a new
    table; the sums of before go over into it. Before there was a trigger (`complete` is false), the
    sums had only calls that were gone: those that are left are added once. To be run in one
    transaction.
    """
    made = ["DROP VIEW IF EXISTS history", "DROP TRIGGER IF EXISTS summed", _DAYS]
    if there and not set(there) >= {*GROUPS, *SUMS, "since"}:
        names = ", ".join(there)
        moved = f"INSERT INTO days ({names}) SELECT {names} FROM days_before"  # noqa: S608 - our own
        aside = ["ALTER TABLE days RENAME TO days_before", _DAYS, moved, "DROP TABLE days_before"]
        made = [*made[:2], *aside]
    return [*made, *([] if complete else [_FILL]), _TRIGGER, _VIEW]


async def keep_short(path: Path, days: int, calls: int) -> None:
    """For ever, once an hour: let go calls older than `days` days, or beyond `calls` calls."""
    while True:
        try:
            gone = await asyncio.to_thread(let_go, path, days, calls)
        except sqlite3.Error as error:
            log.warning("old calls stay for now: %s", error)
        else:
            if gone:
                log.info("%d old calls are kept as sums of their days alone", gone)
        await asyncio.sleep(EVERY_S)


def let_go(path: Path, days: int, calls: int) -> int:
    """Delete what is too old or too much; return how many calls it was. Their sums stay."""
    database = sqlite3.connect(path, timeout=10.0, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        before = _before(database, days, calls)
        gone = database.execute("DELETE FROM calls WHERE at < ?", (before,)).rowcount
        database.execute("DELETE FROM steps WHERE at < ?", (before,))
        database.execute("COMMIT")
    finally:
        database.close()
    return gone


def _before(database: sqlite3.Connection, days: int, calls: int) -> str:
    """Return the instant before which calls go."""
    oldest = (now() - timedelta(days=days)).isoformat()
    row = database.execute(
        "SELECT at FROM calls ORDER BY at DESC LIMIT 1 OFFSET ?", (calls,)
    ).fetchone()
    if row is None:
        return oldest
    kept = database.execute(
        "SELECT at FROM calls ORDER BY at DESC LIMIT 1 OFFSET ?", (int(calls * SPARE) - 1,)
    ).fetchone()
    return max(oldest, str(kept[0]))
