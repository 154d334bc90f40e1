"""The ledger as a text that others can check: CSV, or a beancount file for `bean-check`."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any

from services.match import queries
from shared.currencies import EXPONENTS
from shared.events import LedgerExport, LedgerExportAsk

COLUMNS = (
    "seq", "at", "entry_id", "kind", "stream", "deal_id", "party_id", "reverses", "rate",
    "currency", "account", "amount", "minor",
)  # fmt: skip

_ROWS = """
SELECT e.*, p.account, p.minor FROM entry e JOIN posting p ON p.entry = e.seq
WHERE e.at LIKE ? ORDER BY e.seq, p.account
"""


def export(db: sqlite3.Connection, ask: LedgerExportAsk) -> LedgerExport:
    """Return the entries of one month, or all; a text larger than a message is refused there."""
    rows = queries.rows(db, _ROWS, f"{ask.month or ''}%")
    for row in rows:
        row["amount"] = amount(row["minor"], row["currency"])
    text = as_csv(rows) if ask.format == "csv" else as_beancount(rows)
    entries = len({row["seq"] for row in rows})
    return LedgerExport(format=ask.format, entries=entries, text=text)


def amount(minor: int, currency: str) -> str:
    """Return the amount with the decimals of its currency and no separators."""
    exponent = EXPONENTS[currency]
    return f"{Decimal(minor).scaleb(-exponent):.{exponent}f}"


def as_csv(rows: list[dict[str, Any]]) -> str:
    """Return one line a posting, after a line of names (RFC 4180)."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def as_beancount(rows: list[dict[str, Any]]) -> str:
    """Return a beancount v3 file; positive is a debit there too."""
    lines = ['option "title" "Sovereign ledger"', ""]
    lines += [f"{date} open {name}" for name, date in sorted(_opened(rows).items())]
    for _, postings in groupby(rows, key=lambda row: row["seq"]):
        lines += ["", *_transaction(list(postings))]
    return "\n".join(lines) + "\n"


def _opened(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Return each account with the day of its first entry."""
    days: dict[str, str] = {}
    for row in rows:
        name = account(row["account"])
        days[name] = min(days.get(name, row["at"][:10]), row["at"][:10])
    return days


def _transaction(postings: list[dict[str, Any]]) -> Iterator[str]:
    first = postings[0]
    yield f'{first["at"][:10]} * "{first["party_id"]}" "{first["kind"]} {first["deal_id"]}"'
    yield f'  entry: "{first["entry_id"]}"'
    for row in postings:
        yield f"  {account(row['account'])}  {row['amount']} {row['currency']}"


def account(name: str) -> str:
    """Return our account's name in beancount's grammar; different names stay different."""
    root, *rest = name.split(":")
    if root == "cash":
        return "Assets:Cash"
    if root == "platform":
        return f"Income:{_component(rest[0])}"
    kind = "Assets" if rest[-1] == "receivable" else "Liabilities"
    return f"{kind}:{':'.join(_component(part) for part in (root, *rest))}"


def _component(part: str) -> str:
    """Return `X-` and the part, with `-` and `_` written as `-d` and `-u`."""
    return "X-" + part.replace("-", "-d").replace("_", "-u")
