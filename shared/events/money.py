"""Money between clients, providers and the platform: entries, payouts, bills, revenue."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant, Money
from shared.subjects import Token

IncomeStream = Literal["commission", "build", "white_label"]
"""Where earnings come from."""


class Posting(Body):
    """One line of an entry; positive is a debit, in minor units."""

    account: str
    minor: int = Field(strict=True)


class LedgerEntry(Body):
    """A balanced entry: its postings sum to zero in one currency; it never changes."""

    entry_id: Token
    key: Token
    kind: Literal["payment", "refund", "payout", "fee", "build"]
    deal_id: str = ""
    party_id: str = ""
    reverses: str | None = None
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    rate: Decimal
    stream: IncomeStream = "commission"
    sector: str = ""
    postings: tuple[Posting, ...] = Field(min_length=2)
    at: Instant = Field(default_factory=now)


class PayoutAsk(Body):
    """A request on `match.payout`: what a provider is owed goes out.

    `start` needs provider, amount and key; `settle`, `fail` and `unknown` name the `payout`.
    An unknown payout is reconciled by `settle` or `fail`, and never sent again blindly.
    """

    action: Literal["start", "settle", "fail", "unknown", "list"]
    provider_id: Token | None = None
    amount: Money | None = None
    payout: Token | None = None
    key: Token | None = None
    actor: str = Field(default="somebody", max_length=200)
    reason: str = Field(default="", max_length=2000)


class Payout(Body):
    """A payout as it stands."""

    payout: str
    provider_id: str
    amount: Money
    state: Literal["sent", "unknown", "settled", "failed"]
    reason: str = ""
    at: Instant


class PayoutReply(Body):
    """The answer of `match.payout`."""

    payouts: tuple[Payout, ...] = ()
    duplicate: bool = False


class BillAsk(Body):
    """A request on `match.bill`: what a client owes beside deals.

    `charge` books `amount` of `stream` under `key`; `receive` books the payment of `charge`;
    `subscribe` charges `set_up` once and `amount` each month from now, until `active` is false.
    """

    action: Literal["charge", "receive", "subscribe", "list"]
    party_id: Token | None = None
    stream: Literal["build", "white_label"] = "white_label"
    amount: Money | None = None
    set_up: Money | None = None
    charge: Token | None = None
    key: Token | None = None
    active: bool = True
    actor: str = Field(default="somebody", max_length=200)
    reason: str = Field(default="", max_length=2000)


class Charge(Body):
    """What a client was charged, and whether it was paid."""

    charge: str
    party_id: str
    stream: IncomeStream
    amount: Money
    paid: bool
    at: Instant


class BillReply(Body):
    """The answer of `match.bill`, the latest first."""

    charges: tuple[Charge, ...] = ()
    duplicate: bool = False


Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
"""A month of the calendar in UTC, like `2026-11`."""


class RevenueAsk(Body):
    """A request on `match.revenue`; with `month`, the lines are of that month alone."""

    by: Literal["day", "week", "month", "party", "sector", "currency", "stream", "kind"] = "month"
    month: Month | None = None


class RevenueLine(Body):
    """Earnings of one group in one currency, in minor units."""

    group: str
    currency: str
    gross: int = 0
    earned: int = 0
    refunded: int = 0
    payable: int = 0
    returned: int = 0
    take_rate: float | None = None


class Decile(Body):
    """How often pairs of a tenth of the score range came to a deal: the score's calibration."""

    least_score: float
    decided: int
    accepted: int
    share: float | None = None


class Target(Body):
    """What was earned in the running month, held against the target; minor units."""

    month: str
    currency: str
    target: int
    earned: int
    share: float | None = None


class Margin(Body):
    """What is left of the earnings after the real cost of models; minor units.

    `cost` is what the router paid for model calls since `since`, as it recorded them. It is null
    when nobody knows it, or when it is in another currency: no rate of exchange is assumed.
    """

    currency: str
    earned: int
    cost: int | None = None
    margin: int | None = None
    share: float | None = None
    since: Instant | None = None
    notice: str = ""


class Revenue(Body):
    """The answer of `match.revenue`; `trial_balance` sums to zero per currency.

    `outstanding` is what was delivered or invoiced and not paid, by age in days and currency.
    `match_seconds` is the median time from a deal's opening to its acceptance.
    """

    by: str
    lines: tuple[RevenueLine, ...] = ()
    trial_balance: dict[str, dict[str, int]] = Field(default_factory=dict)
    outstanding: dict[str, dict[str, int]] = Field(default_factory=dict)
    calibration: tuple[Decile, ...] = ()
    match_seconds: float | None = None
    target: Target | None = None
    margin: Margin | None = None
    at: Instant = Field(default_factory=now)


class ReportAsk(Body):
    """A request on `match.report`: of one month, the running one unless named."""

    month: Month | None = None


class MatchReport(Body):
    """One month of the business, as of `at`; `markdown` is the same for people.

    `deals` counts the deals that were opened in the month by their state. `margin` is of all time
    until `at`, since the router's record is not kept by month.
    """

    month: str
    by_stream: tuple[RevenueLine, ...] = ()
    by_party: tuple[RevenueLine, ...] = ()
    by_sector: tuple[RevenueLine, ...] = ()
    deals: dict[str, int] = Field(default_factory=dict)
    target: Target | None = None
    margin: Margin | None = None
    outstanding: dict[str, dict[str, int]] = Field(default_factory=dict)
    calibration: tuple[Decile, ...] = ()
    match_seconds: float | None = None
    trial_balance: dict[str, dict[str, int]] = Field(default_factory=dict)
    balanced: bool = True
    markdown: str = ""
    at: Instant = Field(default_factory=now)


class LedgerExportAsk(Body):
    """A request on `match.export`: the ledger as a text, of one month (`2026-11`) or all of it."""

    format: Literal["csv", "beancount"] = "csv"
    month: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}$")


class LedgerExport(Body):
    """The answer of `match.export`."""

    format: str
    entries: int
    text: str
