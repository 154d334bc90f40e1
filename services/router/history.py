"""Old calls become daily sums, so that the record's file does not grow for ever."""

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
DEFAULTS = {"kind": "'chat'", "texts": "0", "run": "0"}
"""Of what sums of before do not have."""
EVERY_S = 3600.0
SPARE = 0.9
"""Of the most calls: so many are left when there were too many, so that this happens seldom."""


def _default(name: str) -> str:
    return f" DEFAULT {DEFAULTS[name]}" if name in DEFAULTS else ""


_GROUPED = ", ".join(f"COALESCE({name}, '')" for name in GROUPS)
_SUMMED = ", ".join(f"COALESCE(SUM({name}), 0)" for name in SUMS)
_ADDED = ", ".join(f"{name} = {name} + excluded.{name}" for name in ("calls", "unpriced", *SUMS))
_NAMES = ", ".join(GROUPS)
_VALUES = ", ".join(SUMS)

_DAYS = f"""
    CREATE TABLE IF NOT EXISTS days (
        day TEXT NOT NULL,
        {", ".join(f"{name} NOT NULL{_default(name)}" for name in GROUPS)},
        calls INTEGER NOT NULL, unpriced INTEGER NOT NULL,
        {", ".join(f"{name} NOT NULL{_default(name)}" for name in SUMS)},
        PRIMARY KEY (day, {_NAMES})
    ) WITHOUT ROWID
"""
_VIEW = f"""
    CREATE VIEW history AS
        SELECT substr(at, 1, 10) AS day, at, {_NAMES}, 1 AS calls,
               cost_pico IS NULL AS unpriced, {_VALUES}
          FROM calls
         UNION ALL
        SELECT day, day || 'T00:00:00+00:00', {", ".join(f"NULLIF({n}, '')" for n in GROUPS)},
               calls, unpriced, {_VALUES}
          FROM days
"""  # noqa: S608 - our own column names
"""`history` has calls and sums of days alike: each line counts for `calls` calls."""
TABLE = "SELECT name FROM pragma_table_info('days')"

FOLD = f"""
    INSERT INTO days (day, {_NAMES}, calls, unpriced, {_VALUES})
    SELECT substr(at, 1, 10), {_GROUPED}, COUNT(*), SUM(cost_pico IS NULL), {_SUMMED}
      FROM calls WHERE at < ? GROUP BY substr(at, 1, 10), {_GROUPED}
        ON CONFLICT DO UPDATE SET {_ADDED}
"""  # noqa: S608 - our own column names


def declaration(there: list[str]) -> list[str]:
    """Return what makes table and view; `there` are the columns of a table of before, if any.

    What a day's sums are told apart by is the table's primary key, so a new column means a new
    table; the sums of before go over into it. To be run in one transaction.
    """
    made = ["DROP VIEW IF EXISTS history", _DAYS, _VIEW]
    if not there or set(there) >= {*GROUPS, *SUMS}:
        return made
    names = ", ".join(there)
    moved = f"INSERT INTO days ({names}) SELECT {names} FROM days_before"  # noqa: S608 - our own
    aside = ["ALTER TABLE days RENAME TO days_before", _DAYS, moved, "DROP TABLE days_before"]
    return [made[0], *aside, _VIEW]


async def keep_short(path: Path, days: int, calls: int) -> None:
    """For ever, once an hour: sum up calls older than `days` days, or beyond `calls` calls."""
    while True:
        try:
            folded = await asyncio.to_thread(fold, path, days, calls)
        except sqlite3.Error as error:
            log.warning("old calls are not summed up yet: %s", error)
        else:
            if folded:
                log.info("%d calls were summed up by day", folded)
        await asyncio.sleep(EVERY_S)


def fold(path: Path, days: int, calls: int) -> int:
    """Sum up what is too old or too much, in one transaction; return how many calls it was."""
    database = sqlite3.connect(path, timeout=10.0, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        before = _before(database, days, calls)
        database.execute(FOLD, (before,))
        folded = database.execute("DELETE FROM calls WHERE at < ?", (before,)).rowcount
        database.execute("DELETE FROM steps WHERE at < ?", (before,))
        database.execute("COMMIT")
    finally:
        database.close()
    return folded


def _before(database: sqlite3.Connection, days: int, calls: int) -> str:
    """Return the instant before which calls are summed up."""
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
