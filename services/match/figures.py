"""What the deals tell beside the money: calibration, time to match, what is outstanding."""

from __future__ import annotations

import sqlite3
import statistics
from collections import Counter
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from services.match import queries
from shared.clock import stamp
from shared.events import Decile, Margin, Savings, Target

COST_CURRENCY = "USD"
"""What the router counts in."""

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


def margin(db: sqlite3.Connection, currency: str, spent: Savings | None) -> Margin:
    """Return what is left after the cost of models; `spent` is the router's word, if it gave one.

    The cost is in US dollars, rounded to cents.
    """
    sql = "SELECT sum(earned - refunded) FROM earning WHERE currency = ?"
    earned = int(db.execute(sql, (currency,)).fetchone()[0] or 0)
    paid = spent.paid_usd() if spent else None
    if spent is None or paid is None:
        why = (
            "the router's cost is not known" if spent is None else spent.notice or "no price known"
        )
        return Margin(currency=currency, earned=earned, notice=why)
    if currency != COST_CURRENCY:
        why = f"the cost is in {COST_CURRENCY}: no rate of exchange is assumed"
        return Margin(currency=currency, earned=earned, since=spent.since, notice=why)
    cost = int((paid * 100).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    left = earned - cost
    share = round(left / earned, 6) if earned > 0 else None
    return Margin(
        currency=currency, earned=earned, cost=cost, margin=left, share=share, since=spent.since
    )


def deals_of(db: sqlite3.Connection, month: str) -> dict[str, int]:
    """Return how many deals that were opened in a month are in which state, money counted in."""
    sql = "SELECT deal_id FROM deal WHERE substr(opened_at, 1, 7) = ?"
    states = [queries.deal(db, row[0], history=False).state for row in db.execute(sql, (month,))]
    return dict(sorted(Counter(states).items()))


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
