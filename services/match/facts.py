"""What the events of stream MATCH carry in `data`, by kind."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from shared.events import Body, DealState, Instant, MatchEvent, Money, Outcome, Side
from shared.subjects import Token

PROFILE_SET = "profile_set"
NEED_SET = "need_set"
DEAL_OPENED = "deal_opened"
DEAL_MOVED = "deal_moved"
OUTCOME_TOLD = "outcome_told"
PAYOUT_UNKNOWN = "payout_unknown"
SUBSCRIPTION_SET = "subscription_set"
OUTCOMES_TOLD = "outcomes_told"
REPORT_MADE = "report_made"
TOKEN_ISSUED = "token_issued"  # noqa: S105 - the kind of an event
TOKEN_REVOKED = "token_revoked"  # noqa: S105 - the kind of an event


class DealOpened(Body):
    """A deal began; commission's share and the pair's score are frozen here."""

    deal_id: Token
    need_id: Token
    client_id: Token
    provider_id: Token
    rate: Decimal = Field(ge=0, le=1)
    amount: Money | None = None
    score: float | None = None
    sector: str = ""
    key: Token
    meaning: str


class DealMoved(Body):
    """A deal went from one state to the next."""

    deal_id: Token
    before: DealState
    after: DealState
    amount: Money | None = None
    expires_at: Instant | None = None
    key: Token
    meaning: str


class OutcomeTold(Body):
    """One side said yes or no to the other, inside a deal of ours or anywhere else."""

    need_id: str = ""
    client_id: Token
    provider_id: Token
    side: Literal["client", "provider"]
    yes: bool


class OutcomesTold(Body):
    """Many outcomes at once, from elsewhere."""

    outcomes: tuple[Outcome, ...]
    key: Token
    meaning: str


class PayoutUnknown(Body):
    """Nobody can tell whether a payout arrived."""

    payout: Token


class SubscriptionSet(Body):
    """A client pays each month from `since` on, until it is set inactive."""

    subscription_id: Token
    party_id: Token
    stream: Literal["build", "white_label"]
    monthly: Money
    set_up: int = Field(default=0, ge=0, strict=True)
    since: Instant
    active: bool = True


class ReportMade(Body):
    """The report of a month that ended was written; `objects` are its documents, by SHA-256."""

    month: str
    store: str
    objects: dict[str, str]


class TokenIssued(Body):
    """A party got a token for the page; `digest` is its SHA-256 in hexadecimal digits."""

    token_id: Token
    party_id: Token
    side: Side
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


class TokenRevoked(Body):
    """These tokens open nothing any more."""

    token_ids: tuple[Token, ...]


def event(kind: str, event_id: str, who: tuple[str, str], data: Body) -> MatchEvent:
    """Return the event; `who` is the actor and the actor's reason."""
    return MatchEvent(
        event_id=event_id,
        kind=kind,
        actor=who[0],
        reason=who[1],
        data=data.model_dump(mode="json"),
    )
