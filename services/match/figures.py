"""What the deals tell beside the money: calibration, time to match, what is outstanding."""

from __future__ import annotations

import sqlite3
import statistics
from datetime import datetime

from services.match import queries
from services.match.fold import stamp
from shared.events import Decile, Target

AGES = (30, 60, 90)
"""Days that part young from old receivables."""


def calibration(db: sqlite3.Connection) -> tuple[Decile, ...]:
    """Return by tenth of the score how many decided deals were accepted; empty tenths are left out.

    A deal is decided once the provider accepted it, or it ended before that.
    """
    found = db.execute(
        "SELECT min(CAST(score * 10 AS INTEGER), 9) AS tenth, count(*),"
        " sum(EXISTS (SELECT 1 FROM move WHERE deal_id = d.deal_id AND after = 'accepted'))"
        " FROM deal d WHERE score IS NOT NULL"
        " AND state NOT IN ('proposed', 'shortlisted', 'offered') GROUP BY 1 ORDER BY 1"
    )
    return tuple(
        Decile(least_score=tenth / 10, decided=count, accepted=yes, share=round(yes / count, 4))
        for tenth, count, yes in found
    )


def match_seconds(db: sqlite3.Connection) -> float | None:
    """Return the median seconds from opening to acceptance, None before the first."""
    found = db.execute(
        "SELECT d.opened_at, min(m.at) FROM deal d JOIN move m ON m.deal_id = d.deal_id"
        " WHERE m.after = 'accepted' GROUP BY d.deal_id"
    )
    times = [
        (datetime.fromisoformat(taken) - datetime.fromisoformat(opened)).total_seconds()
        for opened, taken in found
    ]
    return round(statistics.median(times), 3) if times else None


def outstanding(db: sqlite3.Connection, at: datetime) -> dict[str, dict[str, int]]:
    """Return what was delivered or invoiced and not paid, by age since then and currency."""
    sums: dict[str, dict[str, int]] = {}
    for deal in queries.rows(
        db,
        "SELECT d.currency, d.amount - coalesce(sum(e.cash), 0) AS open, d.moved_at FROM deal d"
        " LEFT JOIN entry e ON e.deal_id = d.deal_id AND e.kind = 'payment'"
        " WHERE d.state IN ('delivered', 'invoiced') GROUP BY d.deal_id HAVING open > 0",
    ):
        age = _age((at - datetime.fromisoformat(deal["moved_at"])).days)
        line = sums.setdefault(age, {})
        line[deal["currency"]] = line.get(deal["currency"], 0) + deal["open"]
    return sums


def _age(days: int) -> str:
    """Return the class of age: `0-30`, `31-60`, `61-90`, `over 90` days."""
    lower = 0
    for upper in AGES:
        if days <= upper:
            return f"{lower}-{upper}"
        lower = upper + 1
    return f"over {AGES[-1]}"


def target(db: sqlite3.Connection, goal: tuple[int, str], at: datetime) -> Target:
    """Return what the month of `at` earned, less refunds; `goal` is minor units and currency."""
    month = stamp(at)[:7]
    row = db.execute(
        "SELECT sum(earned - refunded) FROM earning WHERE currency = ? AND day >= ? AND day < ?",
        (goal[1], month, f"{month}~"),
    ).fetchone()
    earned = int(row[0] or 0)
    share = round(earned / goal[0], 4) if goal[0] else None
    return Target(month=month, currency=goal[1], target=goal[0], earned=earned, share=share)
