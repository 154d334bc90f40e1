"""What happens by the calendar: offers end, monthly fees fall due, months are reported."""

from __future__ import annotations

import logging
import sqlite3
from datetime import datetime

import anyio

from services.match import billing
from services.match.deal_acts import MoveDeal
from services.match.reporter import Reporter, report_due
from services.match.store import Store
from services.match.writer import Writer
from shared.clock import now, stamp
from shared.errors import SovereignError
from shared.events import DealAsk

log = logging.getLogger(__name__)

LOOK_S = 5.0
"""Seconds between two looks at the clock; an offer that is late cannot be accepted meanwhile."""


def due(db: sqlite3.Connection, at: datetime) -> list[str]:
    """Return the deals whose offer ended by `at`."""
    found = db.execute(
        "SELECT deal_id FROM deal WHERE state = 'offered' AND expires_at <= ? ORDER BY deal_id",
        (stamp(at),),
    )
    return [row[0] for row in found]


async def expire(book: Store, writer: Writer, at: datetime) -> int:
    """Move every offer that is due to `expired`; another host may have done it first."""
    late = await book.read(lambda db: due(db, at))
    for deal_id in late:
        ask = DealAsk(
            action="move", deal_id=deal_id, to="expired", actor="match", reason="the term ended"
        )
        try:
            await writer.do(MoveDeal(ask, at))
        except SovereignError as error:
            log.info("offer %s: %s", deal_id, error.message)
    return len(late)


async def charge_due(book: Store, writer: Writer, at: datetime) -> int:
    """Book what subscriptions owe by `at`; another host may have done it first."""
    asks = await book.read(lambda db: billing.due(db, at))
    for ask in asks:
        try:
            await writer.do(billing.ChargeClient(ask, at))
        except SovereignError as error:
            log.warning("charge %s: %s", ask.key, error.message)
    return len(asks)


async def watch(book: Store, writer: Writer, reporter: Reporter) -> None:
    """Look until cancelled."""
    while True:
        await expire(book, writer, now())
        await charge_due(book, writer, now())
        await report_due(reporter, writer)
        await anyio.sleep(LOOK_S)
