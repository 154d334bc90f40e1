"""The market as it stands: the pool of all providers, kept up to date and ranked for one need."""

from __future__ import annotations

import sqlite3

import orjson

from services.match import fold, queries
from services.match.asked import Asked, asked
from services.match.explain import DIGITS, explain
from services.match.pool import Pool, gather
from services.match.scoring import best, score
from shared.events import MatchFind, MatchFound, Need


class Market:
    """The pool, and who said what about whom; `follow` brings it up to date, change by change."""

    def __init__(self) -> None:
        self.pool = Pool()
        self.heard: dict[str, tuple[int, int]] = {}
        self._about: dict[str, tuple[int, int]] = {}
        self._loads: dict[str, int] = {}
        self._profiles = 0
        self._seq = -1

    def follow(self, db: sqlite3.Connection, most: int = 1_000_000_000) -> bool:
        """Count in what happened since, at most so many profiles; tell whether that was all."""
        db.execute("BEGIN")
        try:
            self._follow_deals(db)
            return self._follow_profiles(db, most)
        finally:
            db.execute("COMMIT")

    def _follow_deals(self, db: sqlite3.Connection) -> None:
        """Count in what was said, and who is engaged; before the profiles, which take it along."""
        seq = fold.position(db, "MATCH")
        if seq == self._seq:
            return
        for client, side, provider, yes in queries.said_since(db, self._seq):
            if side == "client":
                _count(self._about, provider, yes)
                self._note(provider)
            else:
                _count(self.heard, client, yes)
        for party, load in queries.loads_since(db, self._seq):
            self._loads[party] = load
            self.pool.note(party, "load", load)
        self._seq = seq

    def _note(self, party: str) -> None:
        yes, asked = self._about[party]
        self.pool.note(party, "yes", yes)
        self.pool.note(party, "asked", asked)

    def _follow_profiles(self, db: sqlite3.Connection, most: int) -> bool:
        found = db.execute(
            "SELECT seq, body FROM profile WHERE seq > ? ORDER BY seq LIMIT ?",
            (self._profiles, most),
        ).fetchall()
        for seq, raw in found:
            body = orjson.loads(raw)
            party = body["party_id"]
            load, heard = self._loads.get(party, 0), self._about.get(party, (0, 0))
            self.pool.put(body, load, heard)
            self._profiles = seq
        return len(found) < most


def _count(heard: dict[str, tuple[int, int]], party: str, yes: int) -> None:
    said, times = heard.get(party, (0, 0))
    heard[party] = (said + yes, times + 1)


def read(db: sqlite3.Connection) -> Market:
    """Return the market of the read model, built at once."""
    market = Market()
    market.follow(db)
    return market


def ask_of(market: Market, need: Need) -> Asked:
    """Return the need made ready, with what providers said to its client."""
    return asked(need, market.heard.get(need.party_id, (0, 0)))


def find(db: sqlite3.Connection, market: Market, ask: MatchFind) -> MatchFound:
    """Return the best providers for one need."""
    need = queries.need(db, ask.need_id)
    if not market.pool.live:
        return MatchFound(need_id=need.need_id, notice="there are no providers yet")
    ready = ask_of(market, need)
    scores = score(ready, market.pool, queries.unwanted(db, need.need_id))
    rows = best(scores, market.pool, ask.limit, ask.blocked)
    found = [explain(ready, scores, row, queries.profile(db, market.pool.ids[row])) for row in rows]
    return MatchFound(
        need_id=need.need_id,
        scores=tuple(found),
        considered=market.pool.live,
        blocked=int((scores.blocked & scores.live).sum()),
        notice=_notice(db, need),
    )


def pair_score(db: sqlite3.Connection, need_id: str, provider_id: str) -> float:
    """Return the total of one pair, as it would be shown now."""
    return pair(db, need_id, provider_id)[0]


def pair(db: sqlite3.Connection, need_id: str, provider_id: str) -> tuple[float, bool]:
    """Return the total of one pair, and whether a hard limit rules it out."""
    need, profile = queries.need(db, need_id), queries.profile(db, provider_id)
    load = {provider_id: queries.load_of(db, provider_id)}
    heard = {provider_id: queries.heard(db, "provider", provider_id)}
    pool = gather([profile.model_dump_json().encode()], load, heard)
    ready = asked(need, queries.heard(db, "client", need.party_id))
    scores = score(ready, pool, queries.unwanted(db, need_id))
    return round(float(scores.total[0]), DIGITS), bool(scores.blocked[0])


def _notice(db: sqlite3.Connection, need: Need) -> str:
    if not need.active:
        return "the need is closed"
    return "the need is filled" if queries.taken(db, need.need_id) >= need.openings else ""
