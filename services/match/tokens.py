"""Tokens of parties: made here, told once, kept as a hash alone."""

from __future__ import annotations

import secrets
import sqlite3

from services.match import facts, queries
from services.match.acts import Draft, needed, told
from shared.access import digest
from shared.errors import InvalidInput, NotFound, Refused
from shared.events import PartyToken, TokenAsk, TokenReply
from shared.ids import ulid

SECRET_BYTES = 32
"""256 random bits: nobody guesses one, so a plain SHA-256 keeps it."""

MOST = 1000
"""Most tokens of one answer."""


def holder(db: sqlite3.Connection, token: str) -> tuple[str, str]:
    """Return the party and the side of a token; `Refused` when it is unknown or was revoked."""
    row = db.execute(
        "SELECT party_id, side FROM token WHERE digest = ? AND revoked_at IS NULL", (digest(token),)
    ).fetchone()
    if row is None:
        raise Refused("token: it is not known here, or was revoked", field="token")
    return str(row[0]), str(row[1])


def tokens(db: sqlite3.Connection, **only: str | None) -> tuple[PartyToken, ...]:
    """Return tokens, the latest first, all or those of a `party_id` or `token_id`."""
    given = {column: value for column, value in only.items() if value is not None}
    where = " AND ".join((*(f"{column} = ?" for column in given), "1"))
    sql = f"SELECT * FROM token WHERE {where} ORDER BY seq DESC LIMIT {MOST}"  # noqa: S608
    return tuple(PartyToken(**row) for row in queries.rows(db, sql, *given.values()))


class IssueToken:
    """Makes a token for a party; the reply is the one place that tells it."""

    def __init__(self, ask: TokenAsk) -> None:
        self._ask = ask
        self._party = needed(ask.party_id, "party_id")
        self._token = secrets.token_urlsafe(SECRET_BYTES)
        self._token_id = ulid()

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Find the side if it was not named."""
        fact = facts.TokenIssued(
            token_id=self._token_id,
            party_id=self._party,
            side=self._ask.side or _side(db, self._party),
            digest=digest(self._token),
        )
        who = (self._ask.actor, self._ask.reason)
        return told(facts.event(facts.TOKEN_ISSUED, self._token_id, who, fact))

    def reply(self, db: sqlite3.Connection) -> TokenReply:
        """Return the token, once."""
        return TokenReply(token=self._token, tokens=tokens(db, token_id=self._token_id))


class RevokeToken:
    """Ends one token, or all of a party; what is ended stays so."""

    def __init__(self, ask: TokenAsk) -> None:
        self._ask = ask
        if (ask.token_id is None) == (ask.party_id is None):
            raise InvalidInput("token_id: give exactly one of token_id, party_id", field="token_id")

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Check that there is such a token; ended ones are left as they are."""
        found = self._found(db)
        if not found:
            raise NotFound("token_id: no such token", field="token_id")
        live = tuple(one.token_id for one in found if one.revoked_at is None)
        if not live:
            return None
        who = (self._ask.actor, self._ask.reason)
        return told(
            facts.event(facts.TOKEN_REVOKED, ulid(), who, facts.TokenRevoked(token_ids=live))
        )

    def _found(self, db: sqlite3.Connection) -> tuple[PartyToken, ...]:
        return tokens(db, token_id=self._ask.token_id, party_id=self._ask.party_id)

    def reply(self, db: sqlite3.Connection) -> TokenReply:
        """Return them as they stand."""
        return TokenReply(tokens=self._found(db))


def _side(db: sqlite3.Connection, party: str) -> str:
    """Return the one side on which the party is on record."""
    offers = db.execute("SELECT 1 FROM profile WHERE party_id = ?", (party,)).fetchone()
    asks = db.execute("SELECT 1 FROM need WHERE party_id = ?", (party,)).fetchone()
    if bool(offers) == bool(asks):
        why = "stands on both sides" if asks else "is not on record yet"
        raise InvalidInput(f"side: {party} {why}; name it: client or provider", field="side")
    return "provider" if offers else "client"
