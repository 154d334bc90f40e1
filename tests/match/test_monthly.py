import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson

from services.match import figures, monthly
from services.match.reporter import Reporter
from shared.clock import now
from shared.events import EmbedSavings, MatchReport, ReportAsk, RevenueAsk, Savings
from shared.streams import ARTIFACTS
from tests.match.conftest import usd

NEXT = now() + timedelta(days=40)
"""An instant at which the running month has ended."""


async def sold(here):
    await here.invoiced("d1", minor=10_000)
    await here.deal("pay", deal_id="d1", amount=usd(10_000), key="b1")
    await here.deal("refund", payment="b1", amount=usd(1000), key="r1")


async def test_a_month_is_reported_from_the_books(host):
    async with host() as here:
        await sold(here)
        made = await here.handlers.report(ReportAsk())
        line = made.by_stream[0]
        found = (line.group, line.gross, line.earned, line.refunded)
        assert found == ("commission", 10_000, 2000, 200)
        assert (made.deals, made.balanced) == ({"paid": 1}, True)
        assert [one.group for one in made.by_party] == ["ana"]
        assert "| commission | 100.00 USD | 20.00 USD | 2.00 USD | 20.0 % |" in made.markdown
        assert "Margin after the cost of models: unknown" in made.markdown
        assert "Earned 18.00 USD of a target of 20,000.00 USD (0.1 %)." in made.markdown
        empty = await here.handlers.report(ReportAsk(month="2020-01"))
        assert (empty.by_stream, empty.deals, empty.balanced) == ((), {}, True)
        for by in ("day", "party", "kind", "stream"):
            whole = await here.handlers.revenue(RevenueAsk(by=by))
            this = await here.handlers.revenue(RevenueAsk(by=by, month=made.month))
            past = await here.handlers.revenue(RevenueAsk(by=by, month="2020-01"))
            assert (this.lines, past.lines) == (whole.lines, ())


async def test_each_month_that_ended_is_written_once(host, bus, settings):
    async with host() as here:
        reporter = Reporter(bus, here.book, settings.match)
        assert await reporter.keep_up(here.writer, NEXT) is None
        await sold(here)
        month = monthly.before(NEXT)
        assert await reporter.keep_up(here.writer, NEXT) == month
        assert await reporter.keep_up(here.writer, NEXT) is None
    store = await bus.js.object_store(ARTIFACTS)
    data = (await store.get(f"match-report-{month}.json")).data
    assert MatchReport.model_validate_json(data).month == month
    last = await bus.js.get_last_msg("MATCH", "match.event.report_made")
    told = orjson.loads(last.data)["data"]["objects"]
    assert told[f"match-report-{month}.json"] == hashlib.sha256(data).hexdigest()


async def test_the_margin_is_what_the_router_leaves_of_it(host):
    async with host() as here:
        await sold(here)
        spent = Savings(reference_model="x", cost_usd=Decimal("3.456"), since=now())
        found = await here.book.read(lambda db: figures.margin(db, "USD", spent))
        assert (found.earned, found.cost, found.margin) == (1800, 346, 1454)
        embedded = EmbedSavings(cost_usd=Decimal("1.5"))
        more = spent.model_copy(update={"embeddings": embedded})
        assert (await here.book.read(lambda db: figures.margin(db, "USD", more))).cost == 496
        abroad = await here.book.read(lambda db: figures.margin(db, "EUR", spent))
        assert (abroad.cost, abroad.margin) == (None, None)
        assert "no rate of exchange" in abroad.notice
        unknown = (await here.handlers.revenue(RevenueAsk())).margin
        assert (unknown.earned, unknown.cost, unknown.margin) == (1800, None, None)


def test_the_month_before_is_the_one_that_ended():
    instants = [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 31, 23, 59, tzinfo=UTC)]
    assert [monthly.before(at) for at in instants] == ["2025-12", "2026-02"]
