"""Reads of the read model that acts and answers share."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson

from services.match.deals import ENGAGED, REJECTED, standing
from shared.errors import NotFound
from shared.events import Deal, LedgerEntry, MatchList, Money, Need, Posting, Profile

_ENGAGED = ", ".join(f"'{state}'" for state in sorted(ENGAGED))
_TAKEN = "'accepted', 'active', 'delivered', 'invoiced', 'closed', 'disputed'"
_DEAL = """
SELECT d.*, coalesce(sum(e.cash) FILTER (WHERE e.kind = 'payment'), 0) AS paid,
       -coalesce(sum(e.cash) FILTER (WHERE e.kind = 'refund'), 0) AS refunded
FROM deal d LEFT JOIN entry e ON e.deal_id = d.deal_id
"""


def rows(db: sqlite3.Connection, sql: str, *values: object) -> list[dict[str, Any]]:
    """Return the rows as dictionaries."""
    found = db.execute(sql, values)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def profile(db: sqlite3.Connection, party_id: str) -> Profile:
    """Return a profile or raise `NotFound`."""
    row = db.execute("SELECT body FROM profile WHERE party_id = ?", (party_id,)).fetchone()
    if row is None:
        raise NotFound(f"provider_id: no profile {party_id}", field="provider_id")
    return Profile.model_validate_json(row[0])


def need(db: sqlite3.Connection, need_id: str) -> Need:
    """Return a need or raise `NotFound`."""
    row = db.execute("SELECT body FROM need WHERE need_id = ?", (need_id,)).fetchone()
    if row is None:
        raise NotFound(f"need_id: no need {need_id}", field="need_id")
    return Need.model_validate_json(row[0])


def deal(db: sqlite3.Connection, deal_id: str, history: bool = True) -> Deal:
    """Return a deal as it stands with its money, or raise `NotFound`."""
    found = rows(db, f"{_DEAL} WHERE d.deal_id = ? GROUP BY d.deal_id", deal_id)
    if not found:
        raise NotFound(f"deal_id: no deal {deal_id}", field="deal_id")
    return _deal(found[0], _history(db, deal_id) if history else ())


def deals(db: sqlite3.Connection, limit: int, **only: str) -> tuple[Deal, ...]:
    """Return deals, the last touched first, without their histories; all or one party's."""
    return page_of_deals(db, (limit, 0), **only)


def page_of_deals(
    db: sqlite3.Connection, limit_and_skip: tuple[int, int], **only: str
) -> tuple[Deal, ...]:
    """Return the same without the first of them."""
    where = " AND ".join((*(f"d.{column} = ?" for column in only), "1"))
    sql = f"{_DEAL} WHERE {where} GROUP BY d.deal_id ORDER BY d.seq DESC LIMIT ? OFFSET ?"
    return tuple(_deal(row, ()) for row in rows(db, sql, *only.values(), *limit_and_skip))


def needs_of(db: sqlite3.Connection, party_id: str, limit: int) -> tuple[Need, ...]:
    """Return a client's needs, the latest first."""
    sql = "SELECT body FROM need WHERE party_id = ? ORDER BY seq DESC LIMIT ?"
    found = db.execute(sql, (party_id, limit))
    return tuple(Need.model_validate_json(row[0]) for row in found)


def _deal(row: dict[str, Any], history: tuple[dict[str, Any], ...]) -> Deal:
    currency = row["currency"]
    given = {
        name: Money(minor=row[name], currency=currency) if currency else None
        for name in ("amount", "paid", "refunded")
    }
    state = standing(row["state"], row["amount"], row["paid"], row["refunded"])
    rest = {name: row[name] for name in Deal.model_fields if name in row and name not in given}
    return Deal(**{**rest, **given, "state": state, "rate": Decimal(row["rate"])}, history=history)


def _history(db: sqlite3.Connection, deal_id: str) -> tuple[dict[str, Any], ...]:
    """Return moves and money acts of a deal in the order of their instants."""
    moves = rows(
        db,
        'SELECT at, \'move\' AS kind, before AS "from", after AS "to", actor, reason'
        " FROM move WHERE deal_id = ? ORDER BY seq",
        deal_id,
    )
    money = rows(
        db,
        "SELECT at, kind, cash AS minor, currency, rate, entry_id, reverses"
        " FROM entry WHERE deal_id = ? ORDER BY seq",
        deal_id,
    )
    return tuple(sorted(moves + money, key=lambda row: str(row["at"])))


def meaning_of(db: sqlite3.Connection, key: str) -> str | None:
    """Return what the key was used for, on either stream, or None."""
    row = db.execute("SELECT meaning FROM act WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else None


def entry(db: sqlite3.Connection, column: str, value: str) -> LedgerEntry | None:
    """Return the entry whose `entry_id` or `key` is `value`, or None."""
    found = rows(db, f"SELECT * FROM entry WHERE {column} = ?", value)  # noqa: S608 - our names
    if not found:
        return None
    lines = db.execute("SELECT account, minor FROM posting WHERE entry = ?", (found[0]["seq"],))
    postings = tuple(Posting(account=account, minor=minor) for account, minor in lines)
    return LedgerEntry(**found[0], postings=postings)


def refunded(db: sqlite3.Connection, entry_id: str) -> int:
    """Return how much of one payment went back, in minor units."""
    row = db.execute("SELECT sum(cash) FROM entry WHERE reverses = ?", (entry_id,)).fetchone()
    return -int(row[0] or 0)


def load_of(db: sqlite3.Connection, provider_id: str) -> int:
    """Return how many deals take a place of the provider's capacity now."""
    sql = f"SELECT count(*) FROM deal WHERE provider_id = ? AND state IN ({_ENGAGED})"  # noqa: S608
    return int(db.execute(sql, (provider_id,)).fetchone()[0])


def loads_since(db: sqlite3.Connection, seq: int) -> list[tuple[str, int]]:
    """Return providers with a deal that moved after `seq`, each with its running deals now."""
    sql = (
        f"SELECT provider_id, sum(state IN ({_ENGAGED})) FROM deal WHERE provider_id IN"  # noqa: S608
        " (SELECT provider_id FROM deal WHERE seq > ?) GROUP BY 1"
    )
    return db.execute(sql, (seq,)).fetchall()


def said_since(db: sqlite3.Connection, seq: int) -> list[tuple[str, str, str, int]]:
    """Return (client, side that spoke, provider, yes) of what was said after `seq`."""
    sql = "SELECT client_id, side, provider_id, yes FROM outcome WHERE seq > ? ORDER BY seq"
    return db.execute(sql, (seq,)).fetchall()


def taken(db: sqlite3.Connection, need_id: str) -> int:
    """Return how many openings of a need are filled, now or by finished work."""
    sql = f"SELECT count(*) FROM deal WHERE need_id = ? AND state IN ({_TAKEN})"  # noqa: S608
    return int(db.execute(sql, (need_id,)).fetchone()[0])


def all_taken(db: sqlite3.Connection) -> dict[str, int]:
    """Return how many openings are filled, by need; needs with none are left out."""
    sql = f"SELECT need_id, count(*) FROM deal WHERE state IN ({_TAKEN}) GROUP BY 1"  # noqa: S608
    return dict(db.execute(sql).fetchall())


def unwanted(db: sqlite3.Connection, need_id: str) -> set[str]:
    """Return providers who declined this need, or whom its client let go."""
    states = ", ".join(f"'{state}'" for state in sorted(REJECTED))
    sql = f"SELECT provider_id FROM deal WHERE need_id = ? AND state IN ({states})"  # noqa: S608
    return {row[0] for row in db.execute(sql, (need_id,))}


def heard(db: sqlite3.Connection, about: str, party: str) -> tuple[int, int]:
    """Return (times said yes, times asked) about a `provider` or `client` by the other side."""
    speaker = "client" if about == "provider" else "provider"
    sql = f"SELECT sum(yes), count(*) FROM outcome WHERE {about}_id = ? AND side = ?"  # noqa: S608
    yes, asked = db.execute(sql, (party, speaker)).fetchone()
    return int(yes or 0), int(asked)


def everything(db: sqlite3.Connection, limit: int, skip: int = 0) -> MatchList:
    """Return profiles, needs and deals, the latest first; `skip` of the deals are left out."""
    profiles = db.execute("SELECT body FROM profile ORDER BY seq DESC LIMIT ?", (limit,))
    needs = db.execute("SELECT body FROM need ORDER BY seq DESC LIMIT ?", (limit,))
    found = page_of_deals(db, (limit, skip))
    return MatchList(
        profiles=tuple(Profile.model_validate_json(row[0]) for row in profiles),
        needs=tuple(Need.model_validate_json(row[0]) for row in needs),
        deals=found,
        names=_names(db, found),
        profiles_in_all=_count(db, "profile"),
        needs_in_all=_count(db, "need"),
        deals_in_all=_count(db, "deal"),
    )


def _names(db: sqlite3.Connection, found: Sequence[Deal]) -> dict[str, str]:
    """Return how the providers and the needs of deals are called."""
    profiles = "SELECT body FROM profile WHERE party_id = ?"
    needs = "SELECT body FROM need WHERE need_id = ?"
    names = {one.provider_id: _told(db, profiles, one.provider_id, "name") for one in found}
    names |= {one.need_id: _told(db, needs, one.need_id, "title") for one in found}
    return names


def _told(db: sqlite3.Connection, sql: str, identity: str, field: str) -> str:
    row = db.execute(sql, (identity,)).fetchone()
    return str(orjson.loads(row[0])[field]) if row else identity


def _count(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


def subscription_seq(db: sqlite3.Connection, subscription_id: str) -> int:
    """Return the sequence of a subscription's last change, 0 for a new one."""
    sql = "SELECT seq FROM subscription WHERE subscription_id = ?"
    row = db.execute(sql, (subscription_id,)).fetchone()
    return int(row[0]) if row else 0
