"""Wires match: read model up to date, endpoints answering, offers expiring."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.match import clockwork
from services.match.handlers import Handlers, Room
from services.match.opening import open_book
from services.match.party_desk import PartyDesk
from services.match.reporter import Reporter
from services.match.writer import Writer
from shared.events import (
    BillAsk,
    DealAsk,
    LedgerExportAsk,
    MatchAdd,
    MatchAssign,
    MatchFind,
    MatchListAsk,
    OutcomesAsk,
    PartyAsk,
    PayoutAsk,
    ReportAsk,
    RevenueAsk,
    TokenAsk,
)
from shared.service import Service

log = logging.getLogger(__name__)

AT_ONCE = 256
"""Requests of one verb in hand at a time; more are told `busy`."""


@asynccontextmanager
async def lifespan(service: Service) -> AsyncIterator[None]:
    """Serve while the process lives."""
    path = service.settings.data_dir / "match" / "match.db"
    book = await open_book(service.bus, path)
    try:
        writer = Writer(service.bus, book)
        await writer.catch_up()
        service.tasks.start_soon(writer.run)
        reporter = Reporter(service.bus, book, service.settings.match)
        service.tasks.start_soon(clockwork.watch, book, writer, reporter)
        room = Room(book, writer, service.settings.match, reporter, service.bus)
        handlers = Handlers(room)
        await answer(service, handlers)
        await welcome(service, PartyDesk(room, handlers))
        service.tasks.start_soon(handlers.warm)
        yield
    finally:
        await book.close()


async def answer(service: Service, handlers: Handlers) -> None:
    """Register every verb."""
    endpoints = service.endpoints
    await endpoints.answer_many("match.add", MatchAdd, handlers.add, AT_ONCE)
    await endpoints.answer_many("match.list", MatchListAsk, handlers.list, AT_ONCE)
    await endpoints.answer_many("match.find", MatchFind, handlers.find, AT_ONCE)
    await endpoints.answer("match.assign", MatchAssign, handlers.assign)
    await endpoints.answer_many("match.deal", DealAsk, handlers.deal, AT_ONCE)
    await endpoints.answer_many("match.revenue", RevenueAsk, handlers.revenue, AT_ONCE)
    await endpoints.answer_many("match.outcomes", OutcomesAsk, handlers.outcomes, AT_ONCE)
    await endpoints.answer("match.report", ReportAsk, handlers.report)
    await endpoints.answer_many("match.payout", PayoutAsk, handlers.payout, AT_ONCE)
    await endpoints.answer_many("match.bill", BillAsk, handlers.bill, AT_ONCE)
    await endpoints.answer_many("match.export", LedgerExportAsk, handlers.export, AT_ONCE)


async def welcome(service: Service, desk: PartyDesk) -> None:
    """Register what is asked for by and about the holders of tokens."""
    await service.endpoints.answer_many("match.token", TokenAsk, desk.token, AT_ONCE)
    await service.endpoints.answer_many("match.party", PartyAsk, desk.party, AT_ONCE)
