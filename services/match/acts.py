"""What an act on the record is: decided against the read model, told as one message, answered."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Protocol

from services.match import queries
from shared.errors import Conflict, InvalidInput
from shared.events import Body, LedgerEntry, MatchEvent
from shared.subjects import ledger_entry, match_event


@dataclass(frozen=True)
class Draft:
    """One message to be published: the whole truth of one act."""

    stream: str
    subject: str
    body: MatchEvent | LedgerEntry
    msg_id: str


class Act(Protocol):
    """One request to change something. Both methods only read, and may be called again."""

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Return what to publish, None when the act was done before; raise when it may not be."""

    def reply(self, db: sqlite3.Connection) -> Body:
        """Return the answer once the act is in the read model."""


def told(event: MatchEvent) -> Draft:
    """Return the draft of an event of MATCH."""
    return Draft("MATCH", match_event(event.kind), event, f"match.{event.event_id}")


def booked(entry: LedgerEntry, account: str) -> Draft:
    """Return the draft of an entry of LEDGER under the party or deal that it chiefly concerns."""
    return Draft("LEDGER", ledger_entry(account), entry, f"ledger.{entry.key}")


def used(db: sqlite3.Connection, key: str, meaning: str) -> bool:
    """Tell whether `key` was used for this very act; raise `Conflict` if for another one."""
    before = queries.meaning_of(db, key)
    if before is not None and before != meaning:
        raise Conflict(f"key: {key} was used for `{before}`, not `{meaning}`", field="key")
    return before is not None


def needed(value: str | None, field: str) -> str:
    """Return a value that the act cannot do without."""
    if value is None:
        raise InvalidInput(f"{field} is missing", field=field)
    return value
