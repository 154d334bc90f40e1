"""Opening a deal and moving it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.match import facts, queries
from services.match.acts import Draft, needed, told, used
from services.match.deals import ENGAGED, check_move
from services.match.money import checked, positive, text
from shared.errors import Conflict, InvalidInput
from shared.events import Deal, DealAsk, DealReply, Money, Need
from shared.ids import ulid


@dataclass(frozen=True)
class Terms:
    """What is frozen on a new deal beside the request: the usual rate, and the pair's score."""

    rate: Decimal
    score: float | None = None


class OpenDeal:
    """Opens a deal between a need's client and a provider.

    Without `deal_id` the `key` becomes the deal's id; without both it is a new deal each time.
    """

    def __init__(self, ask: DealAsk, terms: Terms) -> None:
        self._ask = ask
        self._rate = terms.rate if ask.rate is None else ask.rate
        self._score = terms.score
        self.deal_id = ask.deal_id or ask.key or ulid()
        self._key = ask.key or f"open-{self.deal_id}"[:64]
        self._duplicate = False

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Check need, provider, capacity and amount."""
        need = queries.need(db, needed(self._ask.need_id, "need_id"))
        provider = queries.profile(db, needed(self._ask.provider_id, "provider_id"))
        amount = positive(self._ask.amount or whole_budget(need), "amount")
        meaning = f"open {self.deal_id} {need.need_id} {provider.party_id} {_shown(amount)}"
        self._duplicate = used(db, self._key, meaning)
        if self._duplicate:
            return None
        check_room(db, provider.party_id, need.need_id)
        fact = facts.DealOpened(
            deal_id=self.deal_id, need_id=need.need_id, client_id=need.party_id,
            provider_id=provider.party_id, rate=self._rate, amount=amount, score=self._score,
            sector=(need.sectors or ("",))[0], key=self._key, meaning=meaning,
        )  # fmt: skip
        who = (self._ask.actor, self._ask.reason)
        return told(facts.event(facts.DEAL_OPENED, self._key, who, fact))

    def reply(self, db: sqlite3.Connection) -> DealReply:
        """Return the deal as it stands."""
        return DealReply(deal=queries.deal(db, self.deal_id), duplicate=self._duplicate)


class MoveDeal:
    """Moves a deal; a `key` makes it one act, without one the same move again is refused."""

    def __init__(self, ask: DealAsk, at: datetime) -> None:
        self._ask = ask
        self._at = at
        self._key = ask.key or ulid()
        self._duplicate = False

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Check the transition, the offer's term, and room for an engagement."""
        ask = self._ask
        deal_id, to = needed(ask.deal_id, "deal_id"), needed(ask.to, "to")
        deal = queries.deal(db, deal_id, history=False)
        meaning = f"move {deal_id} {to}"
        self._duplicate = used(db, self._key, meaning)
        if self._duplicate:
            return None
        self._check(db, deal, to)
        fact = facts.DealMoved.model_validate(
            {"deal_id": deal_id, "before": deal.state, "after": to, "amount": self._amount(deal),
             "expires_at": self._expiry(to), "key": self._key, "meaning": meaning}
        )  # fmt: skip
        return told(facts.event(facts.DEAL_MOVED, self._key, (ask.actor, ask.reason), fact))

    def _check(self, db: sqlite3.Connection, deal: Deal, to: str) -> None:
        check_move(deal.state, to)
        late = deal.expires_at is not None and deal.expires_at <= self._at
        if to == "accepted" and late:
            raise Conflict(f"to: the offer ended at {deal.expires_at}", field="to")
        if to in ENGAGED and deal.state not in ENGAGED:
            check_room(db, deal.provider_id, deal.need_id)

    def _amount(self, deal: Deal) -> Money | None:
        """Return a new amount; it may change only while nothing is agreed."""
        amount = checked(self._ask.amount, "amount")
        if amount is not None and deal.state not in ("proposed", "shortlisted"):
            raise Conflict("amount: what was offered cannot change any more", field="amount")
        return positive(amount, "amount") if amount else None

    def _expiry(self, to: str) -> datetime | None:
        if self._ask.expires_at is None:
            return None
        if to != "offered" or self._ask.expires_at <= self._at:
            raise InvalidInput(
                "expires_at: only an offer has a term, and it lies ahead", field="expires_at"
            )
        return self._ask.expires_at

    def reply(self, db: sqlite3.Connection) -> DealReply:
        """Return the deal as it stands."""
        deal = queries.deal(db, str(self._ask.deal_id))
        return DealReply(deal=deal, duplicate=self._duplicate)


def whole_budget(need: Need) -> Money:
    """Return the sum that the need names; a need without one needs an explicit amount."""
    if need.budget is None:
        raise InvalidInput(
            f"budget: need {need.need_id} has none, so the deal needs an amount", field="budget"
        )
    return need.budget


def check_room(db: sqlite3.Connection, provider_id: str, need_id: str) -> None:
    """Raise `Conflict` when the provider is at capacity or the need is filled."""
    provider, need = queries.profile(db, provider_id), queries.need(db, need_id)
    load = queries.load_of(db, provider_id)
    if load >= provider.capacity:
        raise Conflict(
            f"provider_id: {provider_id} is at capacity ({load} of {provider.capacity})",
            field="provider_id",
        )
    if queries.taken(db, need_id) >= need.openings:
        raise Conflict(f"need_id: {need_id} is filled", field="need_id")


def _shown(amount: Money) -> str:
    return text(amount.minor, amount.currency)
