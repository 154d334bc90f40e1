"""Turns one message of MATCH or LEDGER into rows; the same messages always give the same rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from pydantic import ValidationError

from services.match import facts
from services.match.ledger import check_balance, paid_by, sum_of
from services.match.money import known
from shared.bus import invalid
from shared.clock import stamp
from shared.errors import InvalidInput
from shared.events import LedgerEntry, MatchEvent, Need, Outcome, Profile
from shared.reading import Stored

UNFIT = (ValidationError, InvalidInput, sqlite3.IntegrityError, OverflowError)
"""What a message that does not belong here raises; anything else is a fault of this process."""

_ADD = (
    "INSERT INTO {} VALUES ({}) ON CONFLICT DO UPDATE SET gross = gross + excluded.gross,"
    " earned = earned + excluded.earned, refunded = refunded + excluded.refunded,"
    " payable = payable + excluded.payable, returned = returned + excluded.returned"
)

OUTCOMES = {
    "offered": ("client", True),
    "withdrawn": ("client", False),
    "accepted": ("provider", True),
    "declined": ("provider", False),
}
"""Who says what about the other by moving a deal to a state."""


def position(db: sqlite3.Connection, stream: str) -> int:
    """Return the sequence of the last message that was counted in; 0 before the first."""
    row = db.execute("SELECT seq FROM position WHERE stream = ?", (stream,)).fetchone()
    return int(row[0]) if row else 0


def apply(db: sqlite3.Connection, stream: str, message: Stored) -> str | None:
    """Count one message in, once; return why it was refused, or None."""
    if message.seq <= position(db, stream):
        return None
    reason = _try(db, stream, message)
    if reason is not None:
        row = (stream, message.seq, reason)
        db.execute("INSERT OR IGNORE INTO refused VALUES (?, ?, ?)", row)
    db.execute("INSERT OR REPLACE INTO position VALUES (?, ?)", (stream, message.seq))
    return reason


def _try(db: sqlite3.Connection, stream: str, message: Stored) -> str | None:
    db.execute("SAVEPOINT message")
    try:
        STREAMS[stream](db, message)
    except UNFIT as error:
        db.execute("ROLLBACK TO message")
        return _line(error)
    finally:
        db.execute("RELEASE message")
    return None


def _line(error: Exception) -> str:
    """Return one line that names the wrong field, where there is one."""
    if isinstance(error, ValidationError):
        return invalid(error).message
    if isinstance(error, InvalidInput):
        return error.message
    return f"{type(error).__name__}: {error}"[:500]


def _match(db: sqlite3.Connection, message: Stored) -> None:
    event = MatchEvent.model_validate_json(message.data)
    kind = KINDS.get(event.kind)
    if kind is None:
        raise InvalidInput(f"kind: {event.kind[:80]} is unknown", field="kind")
    kind(db, message.seq, event)


def _profile(db: sqlite3.Connection, seq: int, event: MatchEvent) -> None:
    profile = Profile.model_validate(event.data)
    row = (profile.party_id, seq, profile.model_dump_json().encode())
    db.execute("INSERT OR REPLACE INTO profile VALUES (?, ?, ?)", row)


def _need(db: sqlite3.Connection, seq: int, event: MatchEvent) -> None:
    need = Need.model_validate(event.data)
    row = (need.need_id, seq, need.party_id, need.model_dump_json().encode())
    db.execute("INSERT OR REPLACE INTO need VALUES (?, ?, ?, ?)", row)


def _opened(db: sqlite3.Connection, seq: int, event: MatchEvent) -> None:
    fact = facts.DealOpened.model_validate(event.data)
    at = stamp(event.at)
    money = (fact.amount.currency, fact.amount.minor) if fact.amount else (None, None)
    parties = (fact.need_id, fact.client_id, fact.provider_id)
    frozen = (str(fact.rate), fact.score, fact.sector)
    row = (fact.deal_id, seq, *parties, "proposed", *money, *frozen, at, at, None)
    db.execute(f"INSERT INTO deal VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
    _close_key(db, fact.key, ("MATCH", seq, fact.meaning))
    _moved_row(db, seq, event, (fact.deal_id, "", "proposed"))


def _moved(db: sqlite3.Connection, seq: int, event: MatchEvent) -> None:
    fact = facts.DealMoved.model_validate(event.data)
    expires = stamp(fact.expires_at) if fact.expires_at else None
    row = (fact.after, seq, stamp(event.at), expires, fact.deal_id)
    db.execute(
        "UPDATE deal SET state = ?, seq = ?, moved_at = ?, expires_at = ? WHERE deal_id = ?", row
    )
    if fact.amount is not None:
        money = (fact.amount.currency, fact.amount.minor, fact.deal_id)
        db.execute("UPDATE deal SET currency = ?, amount = ? WHERE deal_id = ?", money)
    _close_key(db, fact.key, ("MATCH", seq, fact.meaning))
    _moved_row(db, seq, event, (fact.deal_id, fact.before, fact.after))
    _outcome_of(db, seq, fact)


def _moved_row(
    db: sqlite3.Connection, seq: int, event: MatchEvent, move: tuple[str, str, str]
) -> None:
    row = (seq, *move, event.actor, event.reason, stamp(event.at))
    db.execute("INSERT INTO move VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def _outcome_of(db: sqlite3.Connection, seq: int, fact: facts.DealMoved) -> None:
    """A move may tell what one side thinks of the other."""
    if fact.after in OUTCOMES:
        side, yes = OUTCOMES[fact.after]
        db.execute(
            "INSERT INTO outcome SELECT ?, 0, need_id, client_id, provider_id, ?, ? FROM deal"
            " WHERE deal_id = ?",
            (seq, side, yes, fact.deal_id),
        )


def _outcome(db: sqlite3.Connection, seq: int, event: MatchEvent) -> None:
    fact = facts.OutcomeTold.model_validate(event.data)
    _note_outcomes(db, seq, [fact])


def _outcomes(db: sqlite3.Connection, seq: int, event: MatchEvent) -> None:
    fact = facts.OutcomesTold.model_validate(event.data)
    _note_outcomes(db, seq, fact.outcomes)
    _close_key(db, fact.key, ("MATCH", seq, fact.meaning))


def _note_outcomes(
    db: sqlite3.Connection, seq: int, said: Sequence[Outcome | facts.OutcomeTold]
) -> None:
    rows = [
        (seq, place, one.need_id, one.client_id, one.provider_id, one.side, one.yes)
        for place, one in enumerate(said)
    ]
    db.executemany("INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def _unknown(db: sqlite3.Connection, seq: int, event: MatchEvent) -> None:
    fact = facts.PayoutUnknown.model_validate(event.data)
    row = (fact.payout, seq, event.reason)
    db.execute("INSERT OR REPLACE INTO unknown_payout VALUES (?, ?, ?)", row)


def _subscription(db: sqlite3.Connection, seq: int, event: MatchEvent) -> None:
    fact = facts.SubscriptionSet.model_validate(event.data)
    money = (fact.monthly.currency, fact.monthly.minor, fact.set_up)
    who = (fact.subscription_id, seq, fact.party_id, fact.stream)
    row = (*who, *money, stamp(fact.since), int(fact.active))
    sql = f"INSERT OR REPLACE INTO subscription VALUES ({', '.join('?' * len(row))})"  # noqa: S608
    db.execute(sql, row)


def _token(db: sqlite3.Connection, seq: int, event: MatchEvent) -> None:
    fact = facts.TokenIssued.model_validate(event.data)
    row = (fact.token_id, seq, fact.party_id, fact.side, fact.digest, stamp(event.at), None)
    db.execute(f"INSERT INTO token VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608


def _token_end(db: sqlite3.Connection, seq: int, event: MatchEvent) -> None:
    fact = facts.TokenRevoked.model_validate(event.data)
    at = stamp(event.at)
    db.executemany(
        "UPDATE token SET revoked_at = ? WHERE token_id = ? AND revoked_at IS NULL",
        [(at, token_id) for token_id in fact.token_ids],
    )


def _report(db: sqlite3.Connection, seq: int, event: MatchEvent) -> None:
    fact = facts.ReportMade.model_validate(event.data)
    objects = ", ".join(sorted(fact.objects))
    db.execute("INSERT OR REPLACE INTO report VALUES (?, ?, ?)", (fact.month, seq, objects))


def _ledger(db: sqlite3.Connection, message: Stored) -> None:
    entry = LedgerEntry.model_validate_json(message.data)
    check_balance(entry)
    known(entry.currency, "currency")
    lines = [(message.seq, line.account, line.minor) for line in entry.postings]
    db.executemany("INSERT INTO posting VALUES (?, ?, ?)", lines)
    what = (entry.kind, entry.stream, entry.deal_id, entry.party_id, entry.reverses)
    sums = (paid_by(entry), -sum_of(entry, "platform:"), -sum_of(entry, "provider:"))
    money = (entry.currency, str(entry.rate), entry.sector, *sums, stamp(entry.at))
    row = (message.seq, entry.entry_id, entry.key, *what, *money)
    db.execute(f"INSERT INTO entry VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
    _close_key(db, entry.key, ("LEDGER", message.seq, meaning(entry)))
    _sum_up(db, entry, sums)
    db.executemany(
        "INSERT INTO balance VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET minor = minor + excluded.minor",
        [(entry.currency, line.account, line.minor) for line in entry.postings],
    )


def _sum_up(db: sqlite3.Connection, entry: LedgerEntry, sums: tuple[int, int, int]) -> None:
    """Add an entry to the sums that reports are made of."""
    cash, earned, owed = sums
    returned = -min(cash, 0) if entry.kind == "refund" else 0
    row = (max(cash, 0), max(earned, 0), -min(earned, 0), owed, returned)
    where = (stamp(entry.at)[:10], entry.kind, entry.stream, entry.sector, entry.currency)
    db.execute(_ADD.format("earning", ", ".join("?" * 10)), (*where, *row))
    about = (entry.party_id, entry.stream, entry.currency)
    db.execute(_ADD.format("party_earning", ", ".join("?" * 8)), (*about, *row))


def meaning(entry: LedgerEntry) -> str:
    """Return what the act was, so that its key can be told from the same key for another act."""
    about = entry.reverses or entry.deal_id or entry.party_id
    moved = sum(line.minor for line in entry.postings if line.minor > 0)
    return f"{entry.kind} {about} {moved} {entry.currency}"


def _close_key(db: sqlite3.Connection, key: str, use: tuple[str, int, str]) -> None:
    db.execute("INSERT INTO act VALUES (?, ?, ?, ?)", (key, *use))


KINDS: dict[str, Callable[[sqlite3.Connection, int, MatchEvent], None]] = {
    facts.PROFILE_SET: _profile,
    facts.NEED_SET: _need,
    facts.DEAL_OPENED: _opened,
    facts.DEAL_MOVED: _moved,
    facts.OUTCOME_TOLD: _outcome,
    facts.OUTCOMES_TOLD: _outcomes,
    facts.PAYOUT_UNKNOWN: _unknown,
    facts.SUBSCRIPTION_SET: _subscription,
    facts.TOKEN_ISSUED: _token,
    facts.REPORT_MADE: _report,
    facts.TOKEN_REVOKED: _token_end,
}
STREAMS: dict[str, Callable[[sqlite3.Connection, Stored], None]] = {
    "MATCH": _match,
    "LEDGER": _ledger,
}
