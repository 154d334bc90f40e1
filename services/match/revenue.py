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
  sum(e.refunded) AS refunded, sum(e.payable) AS payable, sum(e.returned) AS returned
FROM {table} e GROUP BY 1, 2 ORDER BY 1, 2
"""


def report(db: sqlite3.Connection, ask: RevenueAsk, goal: tuple[int, str], at: datetime) -> Revenue:
    """Return earnings by group and currency, in minor units, as of `at`; instants are UTC.

    `goal` is what the month should earn, in minor units and its currency.
    """
    table = "party_earning" if ask.by == "party" else "earning"
    found = queries.rows(db, _LINES.format(group=GROUPS[ask.by], table=table))
    return Revenue(
        by=ask.by,
        lines=tuple(_line({name: value or 0 for name, value in row.items()}) for row in found),
        trial_balance=trial_balance(db),
        outstanding=figures.outstanding(db, at),
        calibration=figures.calibration(db),
        match_seconds=figures.match_seconds(db),
        target=figures.target(db, goal, at),
        at=at,
    )


def _line(row: dict[str, Any]) -> RevenueLine:
    """Return one line; the take rate is what was kept of what was kept paid."""
    kept = row["gross"] - row["returned"]
    rate = round((row["earned"] - row["refunded"]) / kept, 6) if kept > 0 else None
    return RevenueLine(**row, take_rate=rate)


def trial_balance(db: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Return each account's balance by currency; positive is a debit, each currency sums to 0."""
    found = db.execute("SELECT currency, account, minor FROM balance ORDER BY 1, 2")
    balance: dict[str, dict[str, int]] = {}
    for currency, account, minor in found:
        balance.setdefault(currency, {})[account] = minor
    return balance
