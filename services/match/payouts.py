"""Payouts: sent, then settled or failed; what nobody can tell is unknown until reconciled.

A start moves what is owed from `provider:<id>:payable` to `payout:transit`; settling moves it on
to cash, failing moves it back. Each is one entry, and a payout is resolved once.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.match import facts, ledger, queries
from services.match.acts import Draft, booked, needed, told, used
from services.match.fold import meaning
from services.match.money import positive, text
from shared.errors import Conflict, NotFound
from shared.events import LedgerEntry, Money, Payout, PayoutAsk, PayoutReply, Posting
from shared.ids import ulid

TRANSIT = "payout:transit"

_PAYOUTS = """
SELECT s.entry_id AS payout, s.party_id AS provider_id, s.currency, s.at, p.minor,
  r.cash AS resolved, u.reason AS unknown FROM entry s
JOIN posting p ON p.entry = s.seq AND p.minor > 0
LEFT JOIN entry r ON r.reverses = s.entry_id AND r.kind = 'payout'
LEFT JOIN unknown_payout u ON u.payout = s.entry_id
WHERE s.kind = 'payout' AND s.reverses IS NULL {and_} ORDER BY s.seq DESC
"""


def payouts(db: sqlite3.Connection, **only: str) -> tuple[Payout, ...]:
    """Return payouts, the latest first, all or those of one `entry_id` or `party_id`."""
    where = "".join(f" AND s.{column} = ?" for column in only)
    found = queries.rows(db, _PAYOUTS.format(and_=where), *only.values())
    return tuple(_payout(row) for row in found)


def _payout(row: dict[str, Any]) -> Payout:
    return Payout(
        payout=row["payout"],
        provider_id=row["provider_id"],
        amount=Money(minor=row["minor"], currency=row["currency"]),
        state=_state(row),
        reason=row["unknown"] or "",
        at=row["at"],
    )


def _state(row: dict[str, Any]) -> Any:
    if row["resolved"] is not None:
        return "settled" if row["resolved"] else "failed"
    return "sent" if row["unknown"] is None else "unknown"


def owed(db: sqlite3.Connection, provider_id: str, currency: str) -> int:
    """Return what the platform owes a provider and has not sent yet, in minor units."""
    row = db.execute(
        "SELECT -minor FROM balance WHERE account = ? AND currency = ?",
        (ledger.payable(provider_id), currency),
    ).fetchone()
    return int(row[0]) if row else 0


class StartPayout:
    """Sends a provider what is owed, or part of it."""

    def __init__(self, ask: PayoutAsk, at: datetime) -> None:
        self._ask = ask
        self._at = at
        self._key = needed(ask.key, "key")
        self._duplicate = False

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Check what is owed, and that no earlier payout is in the dark."""
        provider_id = needed(self._ask.provider_id, "provider_id")
        amount = positive(self._ask.amount, "amount")
        lines = ledger.postings({ledger.payable(provider_id): amount.minor, TRANSIT: -amount.minor})
        entry = _entry((self._key, provider_id, amount.currency), lines, self._at)
        self._duplicate = used(db, self._key, meaning(entry))
        if self._duplicate:
            return None
        self._check(db, provider_id, amount)
        return booked(entry, provider_id)

    def _check(self, db: sqlite3.Connection, provider_id: str, amount: Money) -> None:
        for before in payouts(db, party_id=provider_id):
            if before.state == "unknown":
                raise Conflict(
                    f"payout: {before.payout} is unknown, settle or fail it first", field="payout"
                )
        left = owed(db, provider_id, amount.currency)
        if amount.minor > left:
            shown = text(max(left, 0), amount.currency)
            raise Conflict(f"amount.minor: only {shown} is owed", field="amount.minor")

    def reply(self, db: sqlite3.Connection) -> PayoutReply:
        """Return the payout as it stands."""
        return PayoutReply(payouts=payouts(db, entry_id=self._key), duplicate=self._duplicate)


class ResolvePayout:
    """Settles a payout, or takes it back; the other of both is refused from then on."""

    def __init__(self, ask: PayoutAsk, at: datetime) -> None:
        self._settled = ask.action == "settle"
        self._at = at
        self._payout = needed(ask.payout, "payout")
        self._duplicate = False

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Check that it is still open; the same end twice is one."""
        payout = _one(db, self._payout)
        end = "settled" if self._settled else "failed"
        if payout.state in ("settled", "failed"):
            if payout.state != end:
                raise Conflict(f"payout: {payout.payout} is {payout.state}", field="payout")
            self._duplicate = True
            return None
        back = ledger.CASH if self._settled else ledger.payable(payout.provider_id)
        lines = ledger.postings({TRANSIT: payout.amount.minor, back: -payout.amount.minor})
        about = (f"{self._payout[:60]}-end", payout.provider_id, payout.amount.currency)
        return booked(_entry(about, lines, self._at, self._payout), payout.provider_id)

    def reply(self, db: sqlite3.Connection) -> PayoutReply:
        """Return the payout as it stands."""
        return PayoutReply(payouts=payouts(db, entry_id=self._payout), duplicate=self._duplicate)


class DoubtPayout:
    """Says that nobody can tell whether a payout arrived."""

    def __init__(self, ask: PayoutAsk) -> None:
        self._ask = ask
        self._payout = needed(ask.payout, "payout")

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Check that it is still open."""
        payout = _one(db, self._payout)
        if payout.state == "unknown":
            return None
        if payout.state != "sent":
            raise Conflict(f"payout: {payout.payout} is {payout.state}", field="payout")
        who = (self._ask.actor, self._ask.reason)
        fact = facts.PayoutUnknown(payout=self._payout)
        return told(facts.event(facts.PAYOUT_UNKNOWN, ulid(), who, fact))

    def reply(self, db: sqlite3.Connection) -> PayoutReply:
        """Return the payout as it stands."""
        return PayoutReply(payouts=payouts(db, entry_id=self._payout))


def _one(db: sqlite3.Connection, payout: str) -> Payout:
    found = payouts(db, entry_id=payout)
    if not found:
        raise NotFound(f"payout: no payout {payout}", field="payout")
    return found[0]


def _entry(
    about: tuple[str, str, str],
    lines: tuple[Posting, ...],
    at: datetime,
    reverses: str | None = None,
) -> LedgerEntry:
    key, provider_id, currency = about
    return LedgerEntry(
        entry_id=key,
        key=key,
        kind="payout",
        party_id=provider_id,
        reverses=reverses,
        currency=currency,
        rate=Decimal(0),
        postings=lines,
        at=at,
    )
