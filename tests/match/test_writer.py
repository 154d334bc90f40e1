import asyncio
from decimal import Decimal

import orjson
import pytest

from services.match import store
from services.match.money_acts import PayDeal
from services.match.opening import open_book
from shared.clock import now
from shared.errors import Conflict
from shared.events import DealAsk, LedgerEntry, Posting, RevenueAsk
from shared.reading import last_of, read_subject
from tests.match.conftest import need, provider, usd


async def sums(host) -> int:
    report = await host.handlers.revenue(RevenueAsk())
    return sum(sum(accounts.values()) for accounts in report.trial_balance.values())


async def test_two_hosts_refund_at_the_same_time_and_only_one_wins(host):
    async with host("one") as one, host("two") as two:
        await one.invoiced("d1")
        await one.deal("pay", deal_id="d1", amount=usd(100), key="p1")
        refunds = [
            side.deal("refund", payment="p1", amount=usd(70), key=f"r{n}")
            for n, side in enumerate((one, two, one, two))
        ]
        ends = await asyncio.gather(*refunds, return_exceptions=True)
        assert sum(isinstance(end, Conflict) for end in ends) == 3
        assert (await two.deal("show", deal_id="d1")).deal.refunded == usd(70)


async def test_two_hosts_replay_one_payment_and_it_counts_once(host):
    async with host("one") as one, host("two") as two:
        await one.invoiced("d1")
        pays = [
            side.deal("pay", deal_id="d1", amount=usd(100), key="p1") for side in (one, two) * 20
        ]
        replies = await asyncio.gather(*pays)
        assert sum(not reply.duplicate for reply in replies) == 1
        assert await sums(one) == 0


async def test_two_hosts_write_and_know_the_same(host):
    async with host("one") as one, host("two") as two:
        adds = [side.add(provider(f"p{n}")) for n, side in enumerate((one, two) * 20)]
        await asyncio.gather(*adds)
        for side in (one, two):
            await side.writer.catch_up()
        assert await one.book.read(store.checksum) == await two.book.read(store.checksum)


async def test_a_rebuilt_file_is_the_same(host, bus, settings):
    async with host() as here:
        await here.invoiced("d1")
        await here.deal("pay", deal_id="d1", amount=usd(10_001), key="p1")
        await here.deal("refund", payment="p1", amount=usd(1), key="r1")
        before = await here.book.read(store.checksum)
    async with host("anew") as anew:
        assert await anew.book.read(store.checksum) == before


async def test_a_crash_after_the_entry_heals_from_the_stream(host, bus, settings):
    async with host() as here:
        await here.invoiced("d1")
        act = PayDeal(DealAsk(action="pay", deal_id="d1", amount=usd(10_001), key="p1"), now())
        draft = await here.book.read(act.decide)
    await bus.publish(draft.subject, draft.body, draft.msg_id)
    async with host() as again:
        assert (await again.deal("show", deal_id="d1")).deal.state == "paid"
        replay = await again.deal("pay", deal_id="d1", amount=usd(10_001), key="p1")
        assert replay.duplicate


async def test_a_foreign_entry_that_does_not_balance_is_set_aside(host, bus):
    lines = (Posting(account="cash", minor=5), Posting(account="x", minor=-4))
    bad = LedgerEntry(
        entry_id="e", key="e", kind="fee", currency="USD", rate=Decimal(0), postings=lines
    )
    async with host() as here:
        await bus.publish("ledger.entry.x", bad, "e")
        await bus.js.publish("match.event.profile_set", b"not json")
        await here.invoiced("d1")
        assert await sums(here) == 0
        letter = orjson.loads((await last_of(bus, "DEAD", "dead.LEDGER")).data)
        assert "sum to 1" in letter["reason"]["message"]
        assert await last_of(bus, "DEAD", "dead.MATCH")


async def test_an_entry_that_lacks_a_field_is_set_aside_with_one_line_that_names_it(host, bus):
    async with host() as here:
        await bus.js.publish("ledger.entry.x", b'{"entry_id": "e", "key": "e", "kind": "fee"}')
        await here.writer.catch_up()
        letter = orjson.loads((await last_of(bus, "DEAD", "dead.LEDGER")).data)
        assert letter["reason"]["message"] == "currency: Field required"


async def test_many_acts_go_out_as_one_chain(host, bus):
    async with host() as here:
        await here.add(provider("ana"), need("n1"))
        opens = (
            here.deal("open", deal_id=f"d{n}", need_id="n1", provider_id="ana") for n in range(150)
        )
        await asyncio.gather(*opens)
        assert len(await read_subject(bus, "MATCH", "match.event.deal_opened")) == 150


async def test_a_refused_act_does_not_disturb_its_neighbours(host):
    async with host() as here:
        await here.add(provider("ana"), need("n1"))
        asks = [{"need_id": "n1"}, {"need_id": "n9"}, {"need_id": "n1"}]
        opens = (here.writer.do(open_deal(f"d{n}", **ask)) for n, ask in enumerate(asks))
        ends = await asyncio.gather(*opens, return_exceptions=True)
        assert [getattr(end, "field", None) for end in ends] == [None, "need_id", None]


def open_deal(deal_id: str, **ask):
    from services.match.deal_acts import OpenDeal, Terms

    asked = DealAsk(action="open", deal_id=deal_id, provider_id="ana", **ask)
    return OpenDeal(asked, Terms(Decimal("0.2")))


async def test_a_file_that_is_ahead_of_the_streams_is_put_aside(bus, settings):
    path = settings.data_dir / "match.db"
    book = await open_book(bus, path)
    await book.write(lambda db: db.execute("INSERT INTO position VALUES ('LEDGER', 9)"))
    await book.close()
    book = await open_book(bus, path)
    assert await book.read(lambda db: db.execute("SELECT count(*) FROM position").fetchone()) == (
        0,
    )
    await book.close()
    assert len(list(path.parent.glob("*.aside-*"))) >= 1


async def test_the_database_itself_refuses_to_change_an_entry(host):
    async with host() as here:
        await here.invoiced("d1")
        await here.deal("pay", deal_id="d1", amount=usd(100), key="p1")
        for sql in ("UPDATE posting SET minor = 1", "DELETE FROM entry", "DELETE FROM posting"):
            with pytest.raises(Exception, match="never"):
                await here.book.write(lambda db, sql=sql: db.execute(sql))


async def test_a_cancellation_and_a_payment_at_once_leave_nothing_that_cannot_go_back(host):
    async with host("one") as one, host("two") as two:
        await one.add(provider("ana", capacity=9), need("n1", openings=9))
        for n in range(6):
            deal_id = f"d{n}"
            terms = {"need_id": "n1", "provider_id": "ana", "amount": usd(100)}
            await one.deal("open", deal_id=deal_id, **terms)
            for to in ("offered", "accepted"):
                await one.deal("move", deal_id=deal_id, to=to)
            acts = [
                one.deal("move", deal_id=deal_id, to="cancelled"),
                two.deal("pay", deal_id=deal_id, amount=usd(100), key=f"p{n}"),
            ]
            moved, paid = await asyncio.gather(*acts, return_exceptions=True)
            assert not isinstance(moved, Exception)
            if isinstance(paid, Exception):
                assert isinstance(paid, Conflict) and paid.field == "deal_id"
            else:
                await two.deal("refund", payment=f"p{n}", key=f"r{n}")
            left = (await one.deal("show", deal_id=deal_id)).deal
            assert (left.state, left.paid) == ("cancelled", left.refunded)
        report = await one.handlers.revenue(RevenueAsk())
        assert {minor for sums in report.trial_balance.values() for minor in sums.values()} <= {0}
        with pytest.raises(Conflict, match="cancelled"):
            await two.deal("pay", deal_id="d0", amount=usd(1), key="late")
