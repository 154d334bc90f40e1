"""What clients and providers ask for themselves, each with a token of their own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shared.events.base import Body, Instant, Money
from shared.events.match import Deal, MatchFound, Need, Profile
from shared.subjects import Token

Side = Literal["client", "provider"]
"""Which of the two rooms of the page a token opens."""


class TokenAsk(Body):
    """A request on `match.token`: who may use the page for clients and providers.

    `issue` needs `party_id`, and `side` unless only one is on record; `revoke` takes one
    `token_id`, or all tokens of `party_id`.
    """

    action: Literal["issue", "revoke", "list"]
    party_id: Token | None = None
    side: Side | None = None
    token_id: Token | None = None
    actor: str = Field(default="somebody", max_length=200)
    reason: str = Field(default="", max_length=2000)


class PartyToken(Body):
    """A token as it stands; what it reads is known to its holder alone."""

    token_id: str
    party_id: str
    side: Side
    issued_at: Instant
    revoked_at: Instant | None = None


class TokenReply(Body):
    """The answer of `match.token`; `token` is told once, when it is issued, and kept nowhere."""

    token: str | None = None
    tokens: tuple[PartyToken, ...] = ()


class PartyAsk(Body):
    """A request on `match.party`: what the holder of a token sees and does.

    Whose data it is follows from the token alone: ids of a party inside `need` and `profile` are
    replaced. Clients: `need` states or changes one (no `need_id`: a new one), `find` ranks for it,
    `accept` opens a deal with a provider and offers it, or offers a proposed `deal_id`; `withdraw`
    takes an offer back. Providers: `profile` keeps the own one, `answer` moves a deal `to` its
    next state. `home` shows all that is one's own.
    """

    token: Annotated[str, Field(max_length=200, repr=False)]
    action: Literal["home", "need", "find", "accept", "withdraw", "profile", "answer"] = "home"
    need: Need | None = None
    profile: Profile | None = None
    need_id: Token | None = None
    provider_id: Token | None = None
    deal_id: Token | None = None
    to: Literal["accepted", "declined", "active", "delivered"] | None = None
    amount: Money | None = None
    key: Annotated[Token, Field(max_length=50)] | None = None


class PartyReply(Body):
    """The answer of `match.party`: all that is the party's own, and nothing of anybody else.

    `found` is the ranking that was asked for; a provider's `needs` are those it was offered,
    without the client's limits.
    """

    party_id: str
    side: Side
    profile: Profile | None = None
    needs: tuple[Need, ...] = ()
    deals: tuple[Deal, ...] = ()
    found: MatchFound | None = None
    need_id: str = ""
    deal_id: str = ""
