"""What the holder of a token may see and do: its own things, and nothing of anybody else.

The party is the token's, whatever the request says. A thing of somebody else and one that does
not exist are refused in the same words, so that nobody learns which ids there are.
"""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import timedelta
from decimal import Decimal
from typing import Any

from services.match import queries, tokens
from services.match.acts import Act, Draft, needed
from services.match.deal_acts import MoveDeal, OpenDeal, Terms
from services.match.handlers import Handlers, Room, market_module
from services.match.profile_acts import SetNeed, SetProfile
from shared.clock import now
from shared.errors import Conflict, InvalidInput, NotFound, Refused
from shared.events import (
    Body,
    Deal,
    DealAsk,
    MatchFind,
    Need,
    PartyAsk,
    PartyReply,
    TokenAsk,
    TokenReply,
)
from shared.ids import ulid

SHOWN = 200
"""Most needs and deals of one party on its page."""
FOUND = 20
SIDES = {"need": "client", "find": "client", "accept": "client", "withdraw": "client",
         "profile": "provider", "answer": "provider"}  # fmt: skip
TO_PROVIDER = frozenset({"proposed", "shortlisted"})
"""States of a deal that its provider does not see yet."""


class Own:
    """An act that is allowed while `check` says so, looked at in the act's own transaction."""

    def __init__(self, act: Act, holder: tuple[str, str], thing: tuple[str, str]) -> None:
        self._act = act
        self._holder = holder
        self._thing = thing

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Check whose it is, then decide."""
        own(db, self._holder, self._thing)
        return self._act.decide(db)

    def reply(self, db: sqlite3.Connection) -> Body:
        """Return the act's answer."""
        return self._act.reply(db)


def own(db: sqlite3.Connection, holder: tuple[str, str], thing: tuple[str, str]) -> None:
    """Raise `NotFound` unless the need or deal is the holder's; `thing` is its kind and id."""
    kind, identity = thing
    party, side = holder
    column = "party_id" if kind == "need" else f"{side}_id"
    hidden = "" if side == "client" else " AND state NOT IN ('proposed', 'shortlisted')"
    sql = f"SELECT 1 FROM {kind} WHERE {kind}_id = ? AND {column} = ?{hidden}"  # noqa: S608
    if db.execute(sql, (identity, party)).fetchone() is None:
        raise NotFound(f"{kind}_id: you have no {kind} {identity}", field=f"{kind}_id")


class PartyDesk:
    """Answers `match.token` and `match.party`."""

    def __init__(self, room: Room, handlers: Handlers) -> None:
        self._room = room
        self._handlers = handlers

    async def token(self, ask: TokenAsk) -> Body:
        """Issue, revoke or list tokens; for the operator."""
        if ask.action == "issue":
            return await self._room.writer.do(tokens.IssueToken(ask))
        if ask.action == "revoke":
            return await self._room.writer.do(tokens.RevokeToken(ask))
        await self._room.writer.catch_up()
        found = await self._room.book.read(
            lambda db: tokens.tokens(db, party_id=ask.party_id, token_id=ask.token_id)
        )
        return TokenReply(tokens=found)

    async def party(self, ask: PartyAsk) -> PartyReply:
        """Do what the holder of a token asks, and return how things stand then."""
        await self._room.writer.catch_up()
        holder = await self._room.book.read(lambda db: tokens.holder(db, ask.token))
        if SIDES.get(ask.action, holder[1]) != holder[1]:
            raise Refused(f"action: {ask.action} is not for a {holder[1]}", field="action")
        more = await getattr(self, f"_{ask.action}")(ask, holder)
        return await self._room.book.read(lambda db: _standing(db, holder, more))

    async def _home(self, ask: PartyAsk, holder: tuple[str, str]) -> dict[str, Any]:
        return {}

    async def _need(self, ask: PartyAsk, holder: tuple[str, str]) -> dict[str, Any]:
        """State a need, or change one of one's own; a new one gets its id here."""
        if ask.need is None:
            raise InvalidInput("need is missing", field="need")
        need_id = ask.need_id or _key(holder, ask) or ulid()
        need = ask.need.model_copy(update={"party_id": holder[0], "need_id": need_id})
        act: Act = SetNeed(need)
        if ask.need_id is not None:
            act = Own(act, holder, ("need", need_id))
        else:
            await self._room.book.read(lambda db: _room_for_more(db, holder[0]))
        await self._room.writer.do(act)
        return {"need_id": need_id}

    async def _profile(self, ask: PartyAsk, holder: tuple[str, str]) -> dict[str, Any]:
        if ask.profile is None:
            raise InvalidInput("profile is missing", field="profile")
        profile = ask.profile.model_copy(update={"party_id": holder[0]})
        await self._room.writer.do(SetProfile(profile))
        return {}

    async def _find(self, ask: PartyAsk, holder: tuple[str, str]) -> dict[str, Any]:
        need_id = needed(ask.need_id, "need_id")
        await self._room.book.read(lambda db: own(db, holder, ("need", need_id)))
        wish = MatchFind(need_id=need_id, limit=FOUND, blocked=True)
        return {"found": await self._handlers.find(wish), "need_id": need_id}

    async def _accept(self, ask: PartyAsk, holder: tuple[str, str]) -> dict[str, Any]:
        """Offer the work: to a provider that fits, or in a deal that was proposed."""
        deal_id = ask.deal_id or await self._open(ask, holder)
        term = now() + timedelta(days=self._room.settings.offer_days)
        move = DealAsk(
            action="move", deal_id=deal_id, to="offered", expires_at=term, actor=_actor(holder),
            key=_key(holder, ask, "offer"),
        )  # fmt: skip
        await self._room.writer.do(Own(MoveDeal(move, now()), holder, ("deal", deal_id)))
        return {"deal_id": deal_id}

    async def _open(self, ask: PartyAsk, holder: tuple[str, str]) -> str:
        need_id = needed(ask.need_id, "need_id")
        provider_id = needed(ask.provider_id, "provider_id")
        await self._room.book.read(lambda db: own(db, holder, ("need", need_id)))
        score = await self._room.book.read(lambda db: _fitting(db, need_id, provider_id))
        opened = DealAsk(
            action="open", need_id=need_id, provider_id=provider_id, amount=ask.amount,
            key=_key(holder, ask), actor=_actor(holder),
        )  # fmt: skip
        act = OpenDeal(opened, Terms(self._room.settings.commission, score))
        await self._room.writer.do(Own(act, holder, ("need", need_id)))
        return act.deal_id

    async def _withdraw(self, ask: PartyAsk, holder: tuple[str, str]) -> dict[str, Any]:
        return await self._move(ask, holder, "withdrawn")

    async def _answer(self, ask: PartyAsk, holder: tuple[str, str]) -> dict[str, Any]:
        return await self._move(ask, holder, needed(ask.to, "to"))

    async def _move(self, ask: PartyAsk, holder: tuple[str, str], to: str) -> dict[str, Any]:
        deal_id = needed(ask.deal_id, "deal_id")
        move = DealAsk.model_validate(
            {"action": "move", "deal_id": deal_id, "to": to, "actor": _actor(holder),
             "key": _key(holder, ask, to)}
        )  # fmt: skip
        await self._room.writer.do(Own(MoveDeal(move, now()), holder, ("deal", deal_id)))
        return {"deal_id": deal_id}


def _room_for_more(db: sqlite3.Connection, party: str) -> None:
    """Raise `Conflict` for a client that has as many needs as its page shows."""
    sql = "SELECT count(*) FROM need WHERE party_id = ?"
    if db.execute(sql, (party,)).fetchone()[0] >= SHOWN:
        raise Conflict(f"need: you have {SHOWN} needs already; change one of them", field="need")


def _key(holder: tuple[str, str], ask: PartyAsk, act: str = "") -> str | None:
    """Return the key of an act: the party's own, so that it meets nobody else's."""
    if ask.key is None:
        return None
    mark = hashlib.sha256("/".join((*holder, ask.key, act)).encode())
    return f"own-{mark.hexdigest()[:32]}"


def _actor(holder: tuple[str, str]) -> str:
    return f"{holder[1]} {holder[0]}"


def _fitting(db: sqlite3.Connection, need_id: str, provider_id: str) -> float:
    """Return the pair's score; `NotFound` for who is unknown and who is ruled out alike."""
    gone = NotFound(f"provider_id: {provider_id} does not fit this need", field="provider_id")
    try:
        total, blocked = market_module().pair(db, need_id, provider_id)
    except NotFound:
        raise gone from None
    if blocked:
        raise gone
    return float(total)


def _standing(db: sqlite3.Connection, holder: tuple[str, str], more: dict[str, Any]) -> PartyReply:
    """Return all that is the holder's own."""
    party, side = holder
    deals = queries.deals(db, SHOWN, **{f"{side}_id": party})
    if side == "client":
        shown = tuple(_without(deal, "score", "rate") for deal in deals)
        needs = queries.needs_of(db, party, SHOWN)
        return PartyReply(party_id=party, side="client", needs=needs, deals=shown, **more)
    offers = tuple(_without(d, "score") for d in deals if d.state not in TO_PROVIDER)
    return PartyReply(
        party_id=party, side="provider", deals=offers, needs=_offered(db, offers),
        profile=_profile_of(db, party), **more,
    )  # fmt: skip


def _without(deal: Deal, *fields: str) -> Deal:
    """Return the deal without what is the other side's or the platform's affair."""
    hidden = {"score": None, "rate": Decimal(0)}
    return deal.model_copy(update={name: hidden[name] for name in fields})


def _offered(db: sqlite3.Connection, deals: tuple[Deal, ...]) -> tuple[Need, ...]:
    """Return the needs of a provider's deals, without budget and limits."""
    ids = dict.fromkeys(deal.need_id for deal in deals)
    kept = {"need_id", "party_id", "title", "required", "nice", "sectors", "languages", "text",
            "hours"}  # fmt: skip
    found = (queries.need(db, need_id) for need_id in ids)
    return tuple(Need.model_validate(need.model_dump(include=kept)) for need in found)


def _profile_of(db: sqlite3.Connection, party: str) -> Any:
    try:
        return queries.profile(db, party)
    except NotFound:
        return None
