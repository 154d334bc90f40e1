"""Payments and refunds: each is one entry of LEDGER, and nothing else has to happen."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from decimal import Decimal

from services.match import ledger, queries
from services.match.acts import Draft, booked, needed, used
from services.match.deals import check_payment
from services.match.fold import meaning
from services.match.money import positive, text
from shared.errors import Conflict, InvalidInput, NotFound
from shared.events import Deal, DealAsk, DealReply, LedgerEntry, Money


class _MoneyAct:
    """What payments and refunds share: the key names the entry, for ever."""

    def __init__(self, ask: DealAsk, at: datetime) -> None:
        self.ask = ask
        self.at = at
        self.key = needed(ask.key, "key")
        self.duplicate = False

    def reply(self, db: sqlite3.Connection) -> DealReply:
        """Return the entry's id and the deal as it stands."""
        entry = queries.entry(db, "key", self.key)
        if entry is None:
            raise NotFound(f"key: no entry under {self.key}", field="key")
        deal = queries.deal(db, entry.deal_id)
        return DealReply(deal=deal, entry_id=entry.entry_id, duplicate=self.duplicate)

    def again(self, db: sqlite3.Connection, entry: LedgerEntry) -> bool:
        """Tell whether this very act is in the ledger already."""
        self.duplicate = used(db, self.key, meaning(entry))
        return self.duplicate


class PayDeal(_MoneyAct):
    """The client pays for a deal; commission at the deal's frozen rate."""

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Check the state, the currency and what is left to pay."""
        deal = queries.deal(db, needed(self.ask.deal_id, "deal_id"), history=False)
        amount = positive(self.ask.amount, "amount")
        self._check_terms(deal, amount)
        entry = self._entry(deal, amount)
        if self.again(db, entry):
            return None
        agreed = (deal.amount.minor, deal.amount.currency) if deal.amount else None
        check_payment(deal.state, agreed, deal.paid.minor if deal.paid else 0, amount.minor)
        return booked(entry, deal.provider_id)

    def _check_terms(self, deal: Deal, amount: Money) -> None:
        if deal.amount is not None and amount.currency != deal.amount.currency:
            raise InvalidInput(
                f"amount.currency: the deal is in {deal.amount.currency}, not {amount.currency}",
                field="amount.currency",
            )
        if self.ask.rate is not None and self.ask.rate != deal.rate:
            raise Conflict(f"rate: the deal's rate is frozen at {deal.rate}", field="rate")

    def _entry(self, deal: Deal, amount: Money) -> LedgerEntry:
        return LedgerEntry(
            entry_id=self.key,
            key=self.key,
            kind="payment",
            deal_id=deal.deal_id,
            party_id=deal.provider_id,
            currency=amount.currency,
            rate=deal.rate,
            sector=deal.sector,
            postings=ledger.payment_postings(deal.provider_id, amount.minor, deal.rate),
            at=self.at,
        )


class RefundPayment(_MoneyAct):
    """Gives back a payment, or part of it, with its commission at its own rate."""

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Check that the payment exists and that so much of it is left."""
        payment = self._payment(db)
        before = queries.refunded(db, payment.entry_id)
        whole = ledger.paid_by(payment)
        done = queries.entry(db, "key", self.key)
        again = done is not None and done.reverses == payment.entry_id
        rest = -ledger.paid_by(done) if done is not None and again else whole - before
        minor = self._minor(payment, rest)
        if minor == 0:
            used(db, self.key, f"refund {payment.entry_id} 0 {payment.currency}")
            raise Conflict("payment: all of it went back already", field="payment")
        entry = self._entry(payment, before, minor)
        if self.again(db, entry):
            return None
        if minor > whole - before:
            left = text(whole - before, payment.currency)
            raise Conflict(f"amount.minor: only {left} of it is left", field="amount.minor")
        return booked(entry, payment.party_id)

    def _payment(self, db: sqlite3.Connection) -> LedgerEntry:
        payment_id = needed(self.ask.payment, "payment")
        payment = queries.entry(db, "entry_id", payment_id)
        if payment is None or payment.kind != "payment":
            raise NotFound(f"payment: no payment {payment_id}", field="payment")
        if self.ask.deal_id not in (None, payment.deal_id):
            raise InvalidInput(f"deal_id: the payment is of {payment.deal_id}", field="deal_id")
        return payment

    def _minor(self, payment: LedgerEntry, rest: int) -> int:
        """Return how much goes back: what is asked for, or all that is left."""
        if self.ask.amount is None:
            return rest
        amount = positive(self.ask.amount, "amount")
        if amount.currency != payment.currency:
            raise InvalidInput(
                f"amount.currency: the payment was in {payment.currency}", field="amount.currency"
            )
        return amount.minor

    def _entry(self, payment: LedgerEntry, before: int, minor: int) -> LedgerEntry:
        return LedgerEntry(
            entry_id=self.key,
            key=self.key,
            kind="refund",
            deal_id=payment.deal_id,
            party_id=payment.party_id,
            reverses=payment.entry_id,
            currency=payment.currency,
            rate=Decimal(payment.rate),
            sector=payment.sector,
            postings=ledger.refund_postings(payment, before, minor),
            at=self.at,
        )
