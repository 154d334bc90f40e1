"""Putting a profile or a need on record; the same content twice is one event."""

from __future__ import annotations

import sqlite3

from services.match import facts
from services.match.acts import Draft, told
from services.match.money import checked, positive
from shared.errors import InvalidInput
from shared.events import Constraint, MatchAdd, MatchList, Need, Profile
from shared.ids import ulid


class SetProfile:
    """Adds a profile, or replaces the one of the same party."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        checked(profile.rate, "profile.rate")
        checked(profile.min_budget, "profile.min_budget")

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Tell it unless it stands there already."""
        if _stands(db, "profile", "party_id", (self._profile.party_id, self._profile)):
            return None
        return told(facts.event(facts.PROFILE_SET, ulid(), ("", ""), self._profile))

    def reply(self, db: sqlite3.Connection) -> MatchList:
        """Return what is on record now."""
        return MatchList(profiles=(self._profile,))


class SetNeed:
    """Adds a need, or replaces the one of the same id if it is of the same client."""

    def __init__(self, need: Need) -> None:
        self._need = need
        if need.budget is not None:
            positive(need.budget, "need.budget")
        for place, rule in enumerate(need.constraints):
            check_rule(rule, f"need.constraints.{place}")

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Tell it unless it stands there already."""
        if _stands(db, "need", "need_id", (self._need.need_id, self._need)):
            return None
        return told(facts.event(facts.NEED_SET, ulid(), ("", ""), self._need))

    def reply(self, db: sqlite3.Connection) -> MatchList:
        """Return what is on record now."""
        return MatchList(needs=(self._need,))


def put(ask: MatchAdd) -> SetProfile | SetNeed:
    """Return the act of a request that holds exactly one of both."""
    if (ask.profile is None) == (ask.need is None):
        raise InvalidInput("profile: give exactly one of profile, need", field="profile")
    if ask.profile is not None:
        return SetProfile(ask.profile)
    assert ask.need is not None  # noqa: S101 - exactly one is given
    return SetNeed(ask.need)


_OPS = {"rate": ("at_most",), "timezone": ("is",), "available": ("is",)}


def check_rule(rule: Constraint, field: str) -> None:
    """Raise `InvalidInput` for a constraint that could never be worked out."""
    allowed = _OPS.get(rule.field, ("has", "is"))
    if rule.op not in allowed:
        raise InvalidInput(
            f"{field}.op: {rule.field} takes {' or '.join(allowed)}", field=f"{field}.op"
        )
    if rule.field == "rate" and (isinstance(rule.value, str) or rule.value < 0):
        raise InvalidInput(
            f"{field}.value: a rate is a whole number of minor units", field=f"{field}.value"
        )


def _stands(
    db: sqlite3.Connection, table: str, column: str, row: tuple[str, Profile | Need]
) -> bool:
    sql = f"SELECT body FROM {table} WHERE {column} = ?"  # noqa: S608 - our names
    found = db.execute(sql, (row[0],)).fetchone()
    return found is not None and found[0] == row[1].model_dump_json().encode()
