"""What came in, what was earned and given back, by whatever one asks; and the trial balance."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from services.match import figures, queries
from shared.events import Revenue, RevenueAsk, RevenueLine

_THURSDAY = "date(e.day, '-3 days', 'weekday 4')"
_WEEK = (
    f"strftime('%Y', {_THURSDAY}) || '-W' ||"
    f" printf('%02d', (strftime('%j', {_THURSDAY}) - 1) / 7 + 1)"
)
"""ISO 8601 week: the year and week of the week's Thursday (`%G-W%V` needs SQLite 3.46)."""

GROUPS = {
    "day": "e.day",
    "week": _WEEK,
    "month": "substr(e.day, 1, 7)",
    "party": "e.party_id",
    "currency": "e.currency",
    "kind": "e.kind",
    "sector": "coalesce(nullif(e.sector, ''), 'unknown')",
    "stream": "e.stream",
}

_LINES = """
SELECT {group} AS "group", e.currency, sum(e.gross) AS gross, sum(e.earned) AS earned,
  sum(e.refunded) AS refunded, sum(e.payable) AS payable, sum(e.returned) AS returned,
  sum(CASE e.stream WHEN 'commission' THEN e.gross - e.returned END) AS kept,
  sum(CASE e.stream WHEN 'commission' THEN e.earned - e.refunded END) AS commission
FROM {table} e {where} GROUP BY 1, 2 ORDER BY 1, 2
"""


_OF_PARTIES = """
SELECT party_id, stream, currency, substr(at, 1, 10) AS day, max(cash, 0) AS gross,
  max(earned, 0) AS earned, -min(earned, 0) AS refunded, owed AS payable,
  CASE kind WHEN 'refund' THEN -min(cash, 0) ELSE 0 END AS returned FROM entry
"""
"""The entries themselves, for one party's share of one month."""


def report(db: sqlite3.Connection, ask: RevenueAsk, goal: tuple[int, str], at: datetime) -> Revenue:
    """Return earnings by group and currency, in minor units, as of `at`; instants are UTC.

    `goal` is what the month should earn, in minor units and its currency.
    """
    return Revenue(
        by=ask.by,
        lines=lines(db, ask),
        trial_balance=trial_balance(db),
        outstanding=figures.outstanding(db, at),
        calibration=figures.calibration(db),
        match_seconds=figures.match_seconds(db),
        target=figures.target(db, goal, at),
        at=at,
    )


def lines(db: sqlite3.Connection, ask: RevenueAsk) -> tuple[RevenueLine, ...]:
    """Return the groups, of one month or of all time."""
    table, where, group = "earning", "", GROUPS[ask.by]
    if ask.by == "party":
        table = "party_earning" if ask.month is None else f"({_OF_PARTIES})"
    if ask.month is not None:
        where = "WHERE substr(e.day, 1, 7) = ?"
    sql = _LINES.format(group=group, table=table, where=where)
    found = queries.rows(db, sql, *([ask.month] if ask.month else []))
    return tuple(_line({name: value or 0 for name, value in row.items()}) for row in found)


def _line(row: dict[str, Any]) -> RevenueLine:
    """Return one line; the take rate is the commission's share of what deals brought and kept.

    Fees and service builds are no share of a deal: they earn, and leave the rate alone.
    """
    kept, commission = row.pop("kept"), row.pop("commission")
    rate = round(commission / kept, 6) if kept > 0 else None
    return RevenueLine(**row, take_rate=rate)


def trial_balance(db: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Return each account's balance by currency; positive is a debit, each currency sums to 0."""
    found = db.execute("SELECT currency, account, minor FROM balance ORDER BY 1, 2")
    balance: dict[str, dict[str, int]] = {}
    for currency, account, minor in found:
        balance.setdefault(currency, {})[account] = minor
    return balance
