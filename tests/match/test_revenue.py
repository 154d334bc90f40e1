import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from beancount import loader

from services.match import revenue
from shared.clock import now
from shared.events import BillAsk, LedgerExportAsk, Money, RevenueAsk
from tests.match.conftest import need, provider, usd


async def two_deals(here):
    """One deal of 100.01 USD paid and half refunded; one of 500 JPY at 17.5 %, paid in part."""
    await here.invoiced("d1")
    await here.deal("pay", deal_id="d1", amount=usd(10_001), key="p_1")
    await here.deal("refund", payment="p_1", amount=usd(5000), key="r-1")
    await here.add(provider("bob_b"), need("n2", sectors=("law",)))
    yen = Money(minor=500, currency="JPY")
    await here.deal(
        "open", deal_id="d2", need_id="n2", provider_id="bob_b", amount=yen, rate="0.175"
    )
    for to in ("offered", "accepted", "active", "delivered"):
        await here.deal("move", deal_id="d2", to=to)
    await here.deal("pay", deal_id="d2", amount=yen.model_copy(update={"minor": 100}), key="p2")


async def test_each_grouping_sums_to_the_same(host):
    async with host() as here:
        await two_deals(here)
        for by in ("day", "week", "month", "party", "sector", "currency", "stream", "kind"):
            report = await here.handlers.revenue(RevenueAsk(by=by))
            dollars = [line for line in report.lines if line.currency == "USD"]
            assert sum(line.earned - line.refunded for line in dollars) == 1000
            assert sum(line.gross for line in dollars) == 10_001


async def test_the_report_tells_take_rate_target_and_what_is_outstanding(host):
    async with host() as here:
        await two_deals(here)
        report = await here.handlers.revenue(RevenueAsk(by="currency"))
        rates = {line.currency: line.take_rate for line in report.lines}
        assert rates == {"USD": 0.19996, "JPY": 0.18}
        assert (report.target.earned, report.target.target) == (1000, 2_000_000)
        assert report.outstanding == {"0-30": {"JPY": 400}}
        assert report.match_seconds >= 0


@pytest.mark.parametrize("by", ["month", "party", "sector", "currency"])
async def test_fees_and_builds_leave_the_take_rate_alone(host, by):
    async with host() as here:
        await two_deals(here)
        before = (await here.handlers.revenue(RevenueAsk(by=by))).lines
        fee = BillAsk(action="charge", party_id="bo", stream="build", amount=usd(90_000), key="b1")
        await here.handlers.bill(fee)
        after = (await here.handlers.revenue(RevenueAsk(by=by))).lines
        rates = {line.take_rate for line in after if line.take_rate is not None}
        assert rates == {line.take_rate for line in before if line.take_rate is not None}


async def test_what_is_owed_grows_old(host):
    async with host() as here:
        await two_deals(here)
        later, goal = now() + timedelta(days=75), (0, "USD")
        old = await here.book.read(lambda db: revenue.report(db, RevenueAsk(), goal, later))
        assert old.outstanding == {"61-90": {"JPY": 400}}
        assert old.target.share is None


async def test_scores_are_held_against_what_came_of_them(host):
    async with host() as here:
        await two_deals(here)
        await here.add(need("n3"))
        await here.deal("open", deal_id="d3", need_id="n3", provider_id="ana", amount=usd(1))
        await here.deal("move", deal_id="d3", to="declined")
        tenths = (await here.handlers.revenue(RevenueAsk())).calibration
        assert sum(tenth.decided for tenth in tenths) == 3
        assert sum(tenth.accepted for tenth in tenths) == 2


async def test_beancount_finds_no_error_and_the_same_balance(host, tmp_path):
    async with host() as here:
        await two_deals(here)
        made = await here.handlers.export(LedgerExportAsk(format="beancount"))
    file = tmp_path / "ledger.beancount"
    file.write_text(made.text)
    entries, errors, _ = loader.load_file(str(file))
    assert errors == []
    transactions = [entry for entry in entries if type(entry).__name__ == "Transaction"]
    assert len(transactions) == made.entries == 3
    cash = [p for t in transactions for p in t.postings if p.account == "Assets:Cash"]
    assert sum(p.units.number for p in cash if p.units.currency == "USD") == Decimal("50.01")


async def test_csv_holds_every_posting_exactly(host):
    async with host() as here:
        await two_deals(here)
        month = f"{now():%Y-%m}"
        made = await here.handlers.export(LedgerExportAsk(format="csv", month=month))
        rows = list(csv.DictReader(io.StringIO(made.text)))
        assert {row["amount"] for row in rows if row["currency"] == "JPY"} == {"100", "-82", "-18"}
        empty = await here.handlers.export(LedgerExportAsk(month="1999-01"))
        assert empty.entries == 0
