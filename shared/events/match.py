"""Clients, providers, needs, scores, deals and the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant, Money
from shared.subjects import Token

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Skill(Body):
    """One skill; `level` 0..1 if known."""

    name: str = Field(min_length=1, max_length=100)
    level: Share | None = None
    years: float | None = Field(default=None, ge=0, le=80, allow_inf_nan=False)
    evidence: str = ""


class Profile(Body):
    """What a provider offers. Unknown stays unknown: null is never scored as agreement.

    `items` are texts of past work; `rate` is the price of one unit (an hour, unless both sides
    mean another); `capacity` is how many deals run at once.
    """

    party_id: Token
    name: str = Field(min_length=1, max_length=200)
    skills: tuple[Skill, ...] = ()
    sectors: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    timezone: str | None = None
    rate: Money | None = None
    available: bool | None = None
    capacity: int = Field(default=1, ge=0)
    min_budget: Money | None = None
    bio: str = Field(default="", max_length=50_000)
    items: tuple[Annotated[str, Field(max_length=20_000)], ...] = Field(default=(), max_length=100)
    active: bool = True


class Constraint(Body):
    """A limit beside the score: `hard` ones block the pair, and say so."""

    field: Literal["language", "sector", "timezone", "rate", "skill", "available"]
    op: Literal["is", "at_most", "has"]
    value: str | int
    hard: bool = True


class Need(Body):
    """What a client asks for.

    With `hours`, `budget` is the whole sum and `budget / hours` the rate that it allows; without,
    `budget` is the highest rate itself. `openings` is how many providers are wanted.
    """

    need_id: Token
    party_id: Token
    title: str = Field(min_length=1, max_length=500)
    required: tuple[str, ...] = ()
    nice: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    budget: Money | None = None
    constraints: tuple[Constraint, ...] = ()
    text: str = Field(default="", max_length=50_000)
    hours: float | None = Field(default=None, gt=0, le=1_000_000, allow_inf_nan=False)
    openings: int = Field(default=1, ge=1, le=1000)
    active: bool = True


class ScorePart(Body):
    """One part of a view. `value` null means unknown: its weight is given to the known parts."""

    name: str
    view: Literal["client", "provider"]
    value: Share | None
    weight: Share
    reason: str


class MatchScore(Body):
    """One pair: `total` is the harmonic mean of both views, `confidence` the known weight.

    `phrase` tells the reasons in sentences where that was asked for; a model may have written
    them, the numbers are never its own.
    """

    need_id: str
    provider_id: str
    provider_name: str = ""
    total: Share
    client_view: Share
    provider_view: Share
    confidence: Share
    parts: tuple[ScorePart, ...] = ()
    blockers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    phrase: str = ""
    phrased_by_model: bool = False


class MatchAdd(Body):
    """A request on `match.add`: a profile or a need (exactly one)."""

    profile: Profile | None = None
    need: Need | None = None


class MatchFind(Body):
    """A request on `match.find`: the best providers for one need; `phrase` asks for sentences."""

    need_id: Token
    limit: int = Field(default=10, ge=1, le=1000)
    blocked: bool = False
    phrase: bool = False


class MatchFound(Body):
    """The answer of `match.find`, the best first."""

    need_id: str
    scores: tuple[MatchScore, ...] = ()
    considered: int = 0
    blocked: int = 0
    notice: str = ""


class MatchAssign(Body):
    """A request on `match.assign`: pairs for all open needs at once."""

    mode: Literal["optimal", "stable"] = "optimal"
    floor: Share = 0.0


class Assignment(Body):
    """The answer of `match.assign`, with the figures that show the trade-off."""

    mode: str
    pairs: tuple[MatchScore, ...] = ()
    total: float = 0.0
    worst: float | None = None
    unmatched_needs: tuple[str, ...] = ()
    blocking_pairs: int = 0
    unmatched_providers: int = 0
    method: str = ""
    seconds: float = 0.0


DealState = Literal[
    "proposed",
    "shortlisted",
    "offered",
    "accepted",
    "active",
    "delivered",
    "invoiced",
    "paid",
    "closed",
    "declined",
    "withdrawn",
    "expired",
    "cancelled",
    "disputed",
    "refunded",
]


class DealAsk(Body):
    """A request on `match.deal`: open one, move it, pay it or refund a payment.

    `key` is made by the caller before sending; the same key twice is one act, for ever.
    """

    action: Literal["open", "move", "pay", "refund", "show", "list"]
    deal_id: Token | None = None
    need_id: Token | None = None
    provider_id: Token | None = None
    to: DealState | None = None
    amount: Money | None = None
    payment: Token | None = None
    key: Token | None = None
    rate: Decimal | None = Field(default=None, ge=0, le=1)
    actor: str = Field(default="somebody", max_length=200)
    reason: str = Field(default="", max_length=2000)
    expires_at: Instant | None = None


class Deal(Body):
    """A deal as it stands. `rate` is the commission's share, frozen when the deal was opened."""

    deal_id: str
    need_id: str
    client_id: str
    provider_id: str
    state: DealState
    amount: Money | None = None
    rate: Decimal
    score: float | None = None
    paid: Money | None = None
    refunded: Money | None = None
    history: tuple[dict[str, Any], ...] = ()
    sector: str = ""
    opened_at: Instant | None = None
    expires_at: Instant | None = None


class DealReply(Body):
    """The answer of `match.deal`; `duplicate` when the key had been used for the same act."""

    deal: Deal | None = None
    deals: tuple[Deal, ...] = ()
    entry_id: str | None = None
    duplicate: bool = False


class MatchEvent(Body):
    """What happened: the kind is the last token of the subject."""

    event_id: str
    kind: str
    actor: str = ""
    reason: str = ""
    data: dict[str, Any] = Field(default_factory=dict)
    at: Instant = Field(default_factory=now)


class MatchListAsk(Body):
    """A request on `match.list`: up to `limit` of each kind, of the deals those after `skip`."""

    limit: int = Field(default=100, ge=1, le=1000)
    skip: int = Field(default=0, ge=0, le=10**9)


class MatchList(Body):
    """What match knows, the latest first, and how much there is in all.

    `names` tells the names of providers and the titles of needs that the deals speak of.
    """

    profiles: tuple[Profile, ...] = ()
    needs: tuple[Need, ...] = ()
    deals: tuple[Deal, ...] = ()
    names: dict[str, str] = Field(default_factory=dict)
    profiles_in_all: int = 0
    needs_in_all: int = 0
    deals_in_all: int = 0


class Outcome(Body):
    """What one side said about the other, here or anywhere else, before or after."""

    client_id: Token
    provider_id: Token
    side: Literal["client", "provider"]
    yes: bool
    need_id: Annotated[str, Field(max_length=64)] = ""


class OutcomesAsk(Body):
    """A request on `match.outcomes`: past outcomes; the same `key` twice counts once, for ever."""

    key: Token
    outcomes: tuple[Outcome, ...] = Field(min_length=1, max_length=2000)
    actor: str = Field(default="somebody", max_length=200)
    reason: str = Field(default="", max_length=2000)


class OutcomesReply(Body):
    """The answer of `match.outcomes`: how many count, and whether they did before."""

    counted: int
    duplicate: bool = False
