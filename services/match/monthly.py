"""The report of a month: made from the books, told as JSON and as Markdown."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from services.match import figures, revenue
from services.match.money import text
from shared.events import MatchReport, RevenueAsk, RevenueLine, Savings

DASH = "–"


def make(
    db: sqlite3.Connection, month: str, goal: tuple[int, str], spent: Savings | None, at: datetime
) -> MatchReport:
    """Return the report of `month`, as the books stand at `at`; `goal` is the month's target."""
    last = min(at, _end(month))
    balance = revenue.trial_balance(db)
    made = MatchReport(
        month=month,
        by_stream=revenue.lines(db, RevenueAsk(by="stream", month=month)),
        by_party=revenue.lines(db, RevenueAsk(by="party", month=month)),
        by_sector=revenue.lines(db, RevenueAsk(by="sector", month=month)),
        deals=figures.deals_of(db, month),
        target=figures.target(db, goal, last),
        margin=figures.margin(db, goal[1], spent),
        outstanding=figures.outstanding(db, at),
        calibration=figures.calibration(db),
        match_seconds=figures.match_seconds(db),
        trial_balance=balance,
        balanced=all(sum(accounts.values()) == 0 for accounts in balance.values()),
        at=at,
    )
    return made.model_copy(update={"markdown": markdown(made)})


def before(at: datetime) -> str:
    """Return the last month that had ended by `at`."""
    first = at.astimezone(UTC).replace(day=1)
    return f"{first - timedelta(days=1):%Y-%m}"


def _end(month: str) -> datetime:
    """Return the last instant of a month, to the second."""
    year, number = int(month[:4]), int(month[5:])
    following = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return following - timedelta(seconds=1)


def markdown(made: MatchReport) -> str:
    """Return the report for people; the same books always give the same text."""
    lines = [f"# Report of {made.month}", "", f"As of {made.at:%Y-%m-%d %H:%M} UTC.", ""]
    lines += [*_goal(made), *_margin(made), ""]
    for title, rows in (
        ("income stream", made.by_stream), ("party", made.by_party), ("sector", made.by_sector)
    ):  # fmt: skip
        lines += _earnings(title, rows)
    lines += _table("Deals opened this month", ("state", "deals"), made.deals.items())
    lines += _table("Delivered and not paid", ("days", "open"), _open_sums(made))
    lines += _table(
        "How well the score foretells", ("score from", "decided", "accepted", "share"),
        ((f"{one.least_score:.1f}", one.decided, one.accepted, _percent(one.share))
         for one in made.calibration),
    )  # fmt: skip
    lines += [f"Median time from proposal to acceptance: {_time(made.match_seconds)}.", ""]
    lines += [f"The books {'balance' if made.balanced else 'DO NOT balance'}."]
    return "\n".join(lines) + "\n"


def _goal(made: MatchReport) -> list[str]:
    goal = made.target
    if goal is None:
        return []
    earned, whole = text(goal.earned, goal.currency), text(goal.target, goal.currency)
    return [f"Earned {earned} of a target of {whole} ({_percent(goal.share)}).", ""]


def _margin(made: MatchReport) -> list[str]:
    found = made.margin
    if found is None or found.margin is None or found.cost is None:
        return [f"Margin after the cost of models: unknown ({found.notice if found else ''})."]
    left, cost = text(found.margin, found.currency), text(found.cost, found.currency)
    since = f"{found.since:%Y-%m-%d}" if found.since else "the beginning"
    return [f"Margin since {since}: {left} after {cost} for models ({_percent(found.share)})."]


def _earnings(title: str, rows: Sequence[RevenueLine]) -> list[str]:
    heads = (title, "paid", "earned", "refunded", "take rate")
    cells = (
        (one.group or DASH, text(one.gross, one.currency), text(one.earned, one.currency),
         text(one.refunded, one.currency), _percent(one.take_rate))
        for one in rows
    )  # fmt: skip
    return _table(f"By {title}", heads, cells)


def _open_sums(made: MatchReport) -> Iterable[tuple[str, str]]:
    for age, sums in made.outstanding.items():
        yield age, ", ".join(text(minor, currency) for currency, minor in sorted(sums.items()))


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a Markdown table under its title; one line instead when it has no rows."""
    body = [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    if not body:
        return [f"## {title}", "", "Nothing.", ""]
    rule = f"|{'---|' * len(heads)}"
    return [f"## {title}", "", f"| {' | '.join(heads)} |", rule, *body, ""]


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _percent(share: float | None) -> str:
    return DASH if share is None else f"{100 * share:.1f} %"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    hours = seconds / 3600
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.1f} days"
