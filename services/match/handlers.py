"""What comes in by the bus, turned into acts and looks; thin."""

from __future__ import annotations

import importlib
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from services.match import billing, clockwork, export, figures, payouts, phrasing, queries, revenue
from services.match.acts import needed
from services.match.deal_acts import MoveDeal, OpenDeal, Terms
from services.match.money_acts import PayDeal, RefundPayment
from services.match.outcome_acts import TellOutcomes
from services.match.profile_acts import put
from services.match.reporter import Reporter
from services.match.store import Store
from services.match.writer import Writer
from shared.bus import Bus
from shared.clock import now
from shared.errors import SovereignError
from shared.events import (
    Assignment,
    BillAsk,
    BillReply,
    Body,
    DealAsk,
    DealReply,
    LedgerExport,
    LedgerExportAsk,
    MatchAdd,
    MatchAssign,
    MatchFind,
    MatchFound,
    MatchList,
    MatchListAsk,
    MatchReport,
    OutcomesAsk,
    PayoutAsk,
    PayoutReply,
    ReportAsk,
    Revenue,
    RevenueAsk,
)
from shared.settings import MatchSettings

AT_ONCE = 2000
"""Profiles that are read into the market before others may read the record."""


@dataclass
class Room:
    """What the handlers work with."""

    book: Store
    writer: Writer
    settings: MatchSettings
    reporter: Reporter
    bus: Bus
    market: Any = None


class Handlers:
    """One method a verb."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def add(self, ask: MatchAdd) -> Body:
        """Put a profile or a need on record."""
        return await self._room.writer.do(put(ask))

    async def list(self, ask: MatchListAsk) -> MatchList:
        """Return profiles, needs and deals, the latest first."""
        await self._room.writer.catch_up()
        return await self._room.book.read(lambda db: queries.everything(db, ask.limit, ask.skip))

    async def find(self, ask: MatchFind) -> MatchFound:
        """Rank all providers for one need."""
        market = await self._market()
        module = market_module()
        found: MatchFound = await self._room.book.read(lambda db: module.find(db, market, ask))
        return await phrasing.phrased(self._room.bus, found) if ask.phrase else found

    async def assign(self, ask: MatchAssign) -> Assignment:
        """Pair all open needs at once."""
        market = await self._market()
        module = importlib.import_module("services.match.whole")
        made: Assignment = await self._room.book.read(lambda db: module.assign(db, market, ask))
        return made

    async def deal(self, ask: DealAsk) -> Body:
        """Open, move, pay, refund, show or list deals."""
        if ask.action in ("show", "list"):
            return await self._look(ask)
        return await self._room.writer.do(await self._act(ask))

    async def revenue(self, ask: RevenueAsk) -> Revenue:
        """Report earnings and the trial balance."""
        await self._room.writer.catch_up()
        goal = (self._room.settings.monthly_target_minor, self._room.settings.currency)
        found = await self._room.book.read(lambda db: revenue.report(db, ask, goal, now()))
        spent = await self._room.reporter.spent()
        margin = await self._room.book.read(lambda db: figures.margin(db, goal[1], spent))
        return found.model_copy(update={"margin": margin})

    async def outcomes(self, ask: OutcomesAsk) -> Body:
        """Count outcomes from elsewhere."""
        return await self._room.writer.do(TellOutcomes(ask))

    async def report(self, ask: ReportAsk) -> MatchReport:
        """Report one month of the business."""
        await self._room.writer.catch_up()
        return await self._room.reporter.make(ask.month, now())

    async def payout(self, ask: PayoutAsk) -> Body:
        """Start, settle, fail, doubt or list payouts."""
        if ask.action == "list":
            await self._room.writer.catch_up()
            return PayoutReply(payouts=await self._room.book.read(payouts.payouts))
        if ask.action == "start":
            return await self._room.writer.do(payouts.StartPayout(ask, now()))
        if ask.action == "unknown":
            return await self._room.writer.do(payouts.DoubtPayout(ask))
        return await self._room.writer.do(payouts.ResolvePayout(ask, now()))

    async def bill(self, ask: BillAsk) -> Body:
        """Charge a client, receive a charge, set a subscription, or list charges."""
        writer = self._room.writer
        if ask.action == "list":
            await writer.catch_up()
            return BillReply(charges=await self._room.book.read(billing.charges))
        if ask.action == "charge":
            return await writer.do(billing.ChargeClient(ask, now()))
        if ask.action == "receive":
            return await writer.do(billing.ReceiveCharge(ask, now()))
        act = billing.Subscribe(ask, now())
        await writer.do(act)
        await clockwork.charge_due(self._room.book, writer, now())
        return await self._room.book.read(act.reply)

    async def export(self, ask: LedgerExportAsk) -> LedgerExport:
        """Return the ledger as a text."""
        await self._room.writer.catch_up()
        return await self._room.book.read(lambda db: export.export(db, ask))

    async def _look(self, ask: DealAsk) -> DealReply:
        await self._room.writer.catch_up()
        if ask.action == "list":
            deals = await self._room.book.read(lambda db: queries.deals(db, 1000))
            return DealReply(deals=deals)
        deal_id = needed(ask.deal_id, "deal_id")
        return DealReply(deal=await self._room.book.read(lambda db: queries.deal(db, deal_id)))

    async def _act(self, ask: DealAsk) -> OpenDeal | MoveDeal | PayDeal | RefundPayment:
        if ask.action == "open":
            return OpenDeal(ask, Terms(self._room.settings.commission, await self._score(ask)))
        if ask.action == "move":
            return MoveDeal(ask, now())
        return PayDeal(ask, now()) if ask.action == "pay" else RefundPayment(ask, now())

    async def _score(self, ask: DealAsk) -> float:
        """Return what the pair is worth now, to be held against what comes of it."""
        need_id = needed(ask.need_id, "need_id")
        provider_id = needed(ask.provider_id, "provider_id")
        await self._room.writer.catch_up()
        module = market_module()
        total: float = await self._room.book.read(
            lambda db: module.pair_score(db, need_id, provider_id)
        )
        return total

    async def warm(self) -> None:
        """Read a large pool before the first who asks would have to wait for it."""
        sql = "SELECT count(*) FROM profile"
        if await self._room.book.read(lambda db: db.execute(sql).fetchone()[0]) > AT_ONCE:
            with suppress(SovereignError):
                await self._market()

    async def _market(self) -> Any:
        """Return the market, with all that happened since counted in; others may read between."""
        room = self._room
        await room.writer.catch_up()
        if room.market is None:
            room.market = market_module().Market()
        market = room.market
        while not await room.book.read(lambda db: market.follow(db, AT_ONCE)):
            pass
        return market


def market_module() -> Any:
    """Import the scoring, and with it numpy, when it is first needed."""
    return importlib.import_module("services.match.market")
