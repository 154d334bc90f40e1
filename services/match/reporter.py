"""Writes the report of each month that ended: two documents, and the event that names them."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from datetime import datetime

from services.match import facts, monthly
from services.match.acts import Draft, told
from services.match.store import Store
from services.match.writer import Writer
from shared.bus import Bus, encode
from shared.clock import now
from shared.errors import SovereignError
from shared.events import Body, Empty, MatchReport, Savings
from shared.settings import MatchSettings
from shared.streams import ARTIFACTS

log = logging.getLogger(__name__)

ASK_S = 2.0
ACTOR = ("match", "the month ended")


class Reporter:
    """Makes reports on demand, and writes them by the calendar."""

    def __init__(self, bus: Bus, book: Store, settings: MatchSettings) -> None:
        self._bus = bus
        self._book = book
        self._goal = (settings.monthly_target_minor, settings.currency)

    async def spent(self) -> Savings | None:
        """Return what the router says about its cost; None when it does not answer."""
        try:
            return await self._bus.request("model.savings", Empty(), Savings, ASK_S)
        except SovereignError as error:
            log.info("the cost of models is not known: %s", error.message)
            return None

    async def make(self, month: str | None, at: datetime) -> MatchReport:
        """Return the report of a month, the running one unless named."""
        which = month or f"{at:%Y-%m}"
        spent = await self.spent()
        return await self._book.read(lambda db: monthly.make(db, which, self._goal, spent, at))

    async def keep_up(self, writer: Writer, at: datetime) -> str | None:
        """Write the last month's report if there is none yet; return the month, or None."""
        month = monthly.before(at)
        if not await self._book.read(lambda db: wanted(db, month)):
            return None
        made = await self.make(month, at)
        await writer.do(NoteReport(month, await self._store(made)))
        return month

    async def _store(self, made: MatchReport) -> dict[str, str]:
        """Put both documents into the object store; the same month has the same names."""
        store = await self._bus.js.object_store(ARTIFACTS)
        names = {}
        for ending, data in (("md", made.markdown.encode()), ("json", encode(made))):
            name = f"match-report-{made.month}.{ending}"
            await store.put(name, data)
            names[name] = hashlib.sha256(data).hexdigest()
        return names


class NoteReport:
    """Says that a month's report was written; another host may have been first."""

    def __init__(self, month: str, objects: dict[str, str]) -> None:
        self._month = month
        self._objects = objects

    def decide(self, db: sqlite3.Connection) -> Draft | None:
        """Tell it once a month."""
        if not wanted(db, self._month):
            return None
        fact = facts.ReportMade(month=self._month, store=ARTIFACTS, objects=self._objects)
        return told(facts.event(facts.REPORT_MADE, f"report-{self._month}", ACTOR, fact))

    def reply(self, db: sqlite3.Connection) -> Body:
        """Return nothing more."""
        return Empty()


def wanted(db: sqlite3.Connection, month: str) -> bool:
    """Tell whether something happened by the end of a month that has no report yet."""
    if db.execute("SELECT 1 FROM report WHERE month = ?", (month,)).fetchone():
        return False
    end = f"{month}~"
    sql = (
        "SELECT EXISTS (SELECT 1 FROM earning WHERE day < ?)"
        " OR EXISTS (SELECT 1 FROM deal WHERE opened_at < ?)"
    )
    return bool(db.execute(sql, (end, end)).fetchone()[0])


async def report_due(reporter: Reporter, writer: Writer) -> None:
    """Write what is due now; a failure is told and tried again at the next look."""
    try:
        month = await reporter.keep_up(writer, now())
    except Exception as error:
        log.warning("the monthly report: %s: %s", type(error).__name__, error)
    else:
        if month is not None:
            log.info("wrote the report of %s", month)
