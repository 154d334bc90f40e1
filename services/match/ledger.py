"""Entries of the ledger: made here, balanced by construction, checked again before they count.

A positive posting is a debit. Accounts: `cash`, `provider:<id>:payable`, `platform:<stream>`.
"""

from __future__ import annotations

from decimal import Decimal

from services.match.money import returned, share
from shared.errors import InvalidInput
from shared.events import LedgerEntry, Posting

CASH = "cash"
COMMISSION = "platform:commission"


def payable(provider_id: str) -> str:
    """The account of what the platform owes a provider."""
    return f"provider:{provider_id}:payable"


def payment_postings(provider_id: str, minor: int, rate: Decimal) -> tuple[Posting, ...]:
    """Split a payment: commission = `rate` half-even, the provider gets amount - commission."""
    fee = share(minor, rate)
    return postings({CASH: minor, payable(provider_id): fee - minor, COMMISSION: -fee})


def refund_postings(payment: LedgerEntry, before: int, minor: int) -> tuple[Posting, ...]:
    """Mirror `minor` of that very payment, `before` of which had gone back already.

    It returns commission at the payment's own rate, whatever the rate is today.
    """
    parts = {line.account: -line.minor for line in payment.postings if line.account != CASH}
    fee = returned(parts.get(COMMISSION, 0), sum(parts.values()), before, minor)
    rest = {account: minor - fee for account in parts if account != COMMISSION}
    return postings({CASH: -minor, COMMISSION: fee} | rest)


def postings(amounts: dict[str, int]) -> tuple[Posting, ...]:
    """Return the lines that are not zero."""
    return tuple(Posting(account=name, minor=minor) for name, minor in amounts.items() if minor)


def paid_by(entry: LedgerEntry) -> int:
    """Return how much cash the entry brought in, in minor units; negative when it went out."""
    return sum(line.minor for line in entry.postings if line.account == CASH)


def sum_of(entry: LedgerEntry, prefix: str) -> int:
    """Return the sum of the postings whose account begins with `prefix`, in minor units."""
    return sum(line.minor for line in entry.postings if line.account.startswith(prefix))


def check_balance(entry: LedgerEntry) -> None:
    """Raise `InvalidInput` unless the postings sum to zero and none of them is zero."""
    total = sum(line.minor for line in entry.postings)
    if total:
        raise InvalidInput(f"postings: they sum to {total}, not to zero", field="postings")
    if not all(line.minor for line in entry.postings):
        raise InvalidInput("postings: an amount of zero says nothing", field="postings.minor")
