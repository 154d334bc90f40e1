"""What clients owe beside deals: service builds, and white-label set-up and monthly fees.

A charge is earned when it is booked (`client:<id>:receivable` against `platform:<stream>`) and
paid by one entry of its own. Monthly charges have the month in their key, so that nobody is
charged twice however many hosts look at the calendar.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from decimal import Decimal

from services.match import facts, ledger, queries
from services.match.acts import Draft, booked, needed, told, used
from services.match.fold import meaning
from services.match.money import checked, positive
from shared.clock import stamp
from shared.errors import Conflict, InvalidInput, NotFound
from shared.events import BillAsk, BillReply, Charge, LedgerEntry, Money

_CHARGES = """
SELECT c.entry_id AS charge, c.party_id, c.stream, c.currency, c.at, p.minor,
  EXISTS (SELECT 1 FROM entry r WHERE r.reverses = c.entry_id) AS paid
FROM entry c JOIN posting p ON p.entry = c.seq AND p.minor > 0
WHERE c.kind IN ('fee', 'build') AND c.reverses IS NULL {and_} ORDER BY c.seq DESC LIMIT 1000
"""


def charges(db: sqlite3.Connection, **only: str) -> tuple[Charge, ...]:
    """Return charges, the latest first, all or those of one `entry_id` or `party_id`."""
    where = "".join(f" AND c.{column} = ?" for column in only)
    return tuple(
        Charge(**row, amount=Money(minor=row["minor"], currency=row["currency"]))
        for row in queries.rows(db, _CHARGES.format(and_=where), *only.values())
    )


class ChargeClient:
    """Books what a client owes."""

    def __init__(self, ask: BillAsk, at: datetime) -> None:
        self._ask = ask
        self._at = at
        self._key = needed(ask.key, "key")
        self._duplicate = False

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Check the amount and the key."""
        party, amount = needed(self._ask.party_id, "party_id"), positive(self._ask.amount, "amount")
        lines = {_receivable(party): amount.minor, f"platform:{self._ask.stream}": -amount.minor}
        entry = _entry(self._ask, (self._key, party, amount.currency), lines, self._at)
        self._duplicate = used(db, self._key, meaning(entry))
        return None if self._duplicate else booked(entry, party)

    def reply(self, db: sqlite3.Connection) -> BillReply:
        """Return the charge as it stands."""
        return BillReply(charges=charges(db, entry_id=self._key), duplicate=self._duplicate)


class ReceiveCharge:
    """Books the payment of a charge, in full and once."""

    def __init__(self, ask: BillAsk, at: datetime) -> None:
        self._ask = ask
        self._at = at
        self._charge = needed(ask.charge, "charge")
        self._key = needed(ask.key, "key")
        self._duplicate = False

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Check that the charge exists, the amount if one is named, and that it is open."""
        found = charges(db, entry_id=self._charge)
        if not found:
            raise NotFound(f"charge: no charge {self._charge}", field="charge")
        charge = found[0]
        if self._ask.amount not in (None, charge.amount):
            raise InvalidInput("amount: a charge is paid in full", field="amount")
        lines = {
            ledger.CASH: charge.amount.minor,
            _receivable(charge.party_id): -charge.amount.minor,
        }
        ask = self._ask.model_copy(update={"stream": charge.stream})
        about = (self._key, charge.party_id, charge.amount.currency)
        entry = _entry(ask, about, lines, self._at)
        self._duplicate = used(db, self._key, meaning(entry))
        if self._duplicate:
            return None
        if charge.paid:
            raise Conflict(f"charge: {self._charge} is paid", field="charge")
        return booked(entry, charge.party_id)

    def reply(self, db: sqlite3.Connection) -> BillReply:
        """Return the charge as it stands."""
        return BillReply(charges=charges(db, entry_id=self._charge), duplicate=self._duplicate)


class Subscribe:
    """Puts a monthly fee on record, changes it, or ends it."""

    def __init__(self, ask: BillAsk, at: datetime) -> None:
        self._ask = ask
        self._at = at
        self._key = needed(ask.key, "key")
        if len(self._key) > 50:
            raise InvalidInput("key: at most 50 characters, a month is added", field="key")

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Check amounts; the first month is charged from the day it began."""
        ask, amount = self._ask, positive(self._ask.amount, "amount")
        set_up = checked(ask.set_up, "set_up")
        if set_up is not None and set_up.currency != amount.currency:
            raise InvalidInput("set_up.currency: not that of amount", field="set_up.currency")
        row = db.execute(
            "SELECT since FROM subscription WHERE subscription_id = ?", (self._key,)
        ).fetchone()
        fact = facts.SubscriptionSet.model_validate(
            {"subscription_id": self._key, "party_id": needed(ask.party_id, "party_id"),
             "stream": ask.stream, "monthly": amount, "set_up": set_up.minor if set_up else 0,
             "since": row[0] if row else self._at, "active": ask.active}
        )  # fmt: skip
        event_id = f"subscription-{self._key}-{queries.subscription_seq(db, self._key)}"
        return told(facts.event(facts.SUBSCRIPTION_SET, event_id, (ask.actor, ask.reason), fact))

    def reply(self, db: sqlite3.Connection) -> BillReply:
        """Return the client's charges so far."""
        return BillReply(charges=charges(db, party_id=str(self._ask.party_id)))


def due(db: sqlite3.Connection, at: datetime) -> list[BillAsk]:
    """Return the charges of subscriptions that are due by `at` and not booked, oldest first."""
    asks = []
    for row in queries.rows(db, "SELECT * FROM subscription WHERE active ORDER BY 1"):
        first = f"{row['subscription_id']}-setup"
        wanted = [(first, row["set_up"])] if row["set_up"] else []
        months = _months(row["since"][:7], stamp(at)[:7])
        wanted += [(f"{row['subscription_id']}-{month}", row["monthly"]) for month in months]
        asks += [
            BillAsk(
                action="charge", party_id=row["party_id"], stream=row["stream"], key=key,
                amount=Money(minor=minor, currency=row["currency"]), actor="match",
            )
            for key, minor in wanted
            if queries.meaning_of(db, key) is None
        ]  # fmt: skip
    return asks


def _months(first: str, last: str) -> list[str]:
    """Return the months from `first` to `last`, both like `2026-11`."""
    start, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in range(start, end + 1)]


def _receivable(party_id: str) -> str:
    return f"client:{party_id}:receivable"


def _entry(
    ask: BillAsk, about: tuple[str, str, str], lines: dict[str, int], at: datetime
) -> LedgerEntry:
    key, party, currency = about
    return LedgerEntry(
        entry_id=key,
        key=key,
        kind="build" if ask.stream == "build" else "fee",
        party_id=party,
        reverses=ask.charge if ask.action == "receive" else None,
        currency=currency,
        rate=Decimal(1),
        stream=ask.stream,
        postings=ledger.postings(lines),
        at=at,
    )
