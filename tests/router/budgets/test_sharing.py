"""Budgets of several routers, each with a record of its own, over one real bus."""

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest

from services.router.accounts import row
from services.router.budgets import sharing as module
from services.router.budgets.budgets import Budgets
from services.router.budgets.feed import PREFIX, STREAM
from services.router.budgets.peers import Peers
from services.router.budgets.sharing import Sharing, named
from services.router.budgets.tally import Key
from services.router.engine import Answer
from services.router.errand import Errand
from shared import bootstrap
from shared.bus import open_bus
from shared.clock import now
from shared.errors import BudgetExceeded
from shared.events import BudgetList, BudgetShare, Empty
from shared.reading import read_subject
from shared.settings import RouterSettings, SpendingLimit
from tests.router.budgets.test_budgets import SMALL
from tests.router.conftest import ask, chat, until
from tests.router.test_record import writing
from tests.shared import test_rights

guarded = test_rights.guarded
MOST = 19
"""Tokens that a question is estimated to take, and takes here."""
WHOLE = Answer(content="x", model="m", prompt_tokens=9, completion_tokens=10)
CALLER = SpendingLimit(of="caller", name="ann", tokens=1000)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A slow machine is no fault here."""
    monkeypatch.setattr(module, "WAIT_S", 30.0)
    monkeypatch.setattr(module, "START_S", 30.0)
    monkeypatch.setattr(module, "REST_S", 0.01)


class Router:
    """What counts in one router; its calls go on its record as the desk's do."""

    def __init__(self, record, sharing: Sharing, limits) -> None:
        self.record, self.sharing = record, sharing
        self.budgets = Budgets(RouterSettings(budgets=limits), record, None, sharing)

    async def spend(self, answer: Answer = WHOLE, **request) -> None:
        errand = Errand(ask("hello", options=SMALL, **{"caller": "ann"} | request), None)
        async with self.budgets.hold(errand.request) as errand.tab.bill:
            await asyncio.sleep(0)
            errand.tab.bill.paid(answer)
        self.record.add(row(errand.done(answer), None))

    async def line(self, of: str = "caller"):
        told = await self.budgets.list_budgets(Empty())
        return next(line for line in told.lines if line.of == of)

    async def sees(self, tokens: int, of: str = "caller") -> None:
        """Return when so much is spent and nothing reserved, as far as this router knows."""
        while True:
            line = await self.line(of)
            if (line.spent_tokens, line.reserved_tokens) == (tokens, 0):
                return
            await asyncio.sleep(0.005)


@asynccontextmanager
async def routing(bus, folder, host: str = "one", limits=(CALLER,)):
    async with writing(folder / "calls.db") as record:
        sharing = Sharing(bus, record.of.name, host, Peers(record.of.name))
        task = asyncio.create_task(sharing.run())
        await sharing.ready()
        try:
            yield Router(record, sharing, limits)
        finally:
            await sharing.flush()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def folders(tmp_path):
    made = [tmp_path / name for name in ("one", "two")]
    for folder in made:
        folder.mkdir()
    return made


async def kept(bus) -> dict[str, BudgetShare]:
    found = await read_subject(bus, STREAM, f"{PREFIX}>")
    return {one.subject: BudgetShare.model_validate_json(one.data) for one in found}


async def test_what_one_host_spends_counts_at_the_other(bus, tmp_path):
    here, there = folders(tmp_path)
    async with routing(bus, here) as one, routing(bus, there, "two") as two:
        await one.spend()
        await two.sees(MOST)
        await two.spend()
        await one.sees(2 * MOST)
        assert (await one.line()).elsewhere_tokens == MOST


async def test_two_hosts_at_once_never_overrun(bus, settings, tmp_path):
    whole = 11
    here, there = folders(tmp_path)
    limits = (SpendingLimit(tokens=whole * MOST),)
    async with (
        open_bus(settings, "other") as other,
        routing(bus, here, "one", limits) as one,
        routing(other, there, "two", limits) as two,
    ):
        calls = [router.spend() for _ in range(100) for router in (one, two)]
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(each) for each in found} == {type(None), BudgetExceeded}
        good = found.count(None)
        await one.sees(good * MOST, "all")
        await two.sees(good * MOST, "all")
        assert whole // 2 <= good <= whole


async def test_a_budget_that_requests_bring_for_a_task_counts_on_all_hosts(bus, tmp_path):
    here, there = folders(tmp_path)
    async with routing(bus, here, limits=()) as one, routing(bus, there, "two", ()) as two:
        await one.spend(task_id="free")
        await one.sharing.flush()
        assert await kept(bus) == {}
        await one.spend(task_id="t", budget_tokens=2 * MOST)
        await two.spend(task_id="t", budget_tokens=2 * MOST)
        for router in (one, two):
            with pytest.raises(BudgetExceeded, match="38 of 38"):
                await router.spend(task_id="t", budget_tokens=2 * MOST)
        await one.spend(task_id="other", budget_tokens=2 * MOST)


async def test_a_reservation_counts_elsewhere_until_its_router_is_gone(bus, tmp_path):
    here, there = folders(tmp_path)
    limits = (SpendingLimit(tokens=MOST),)
    async with (
        routing(bus, here, "one", limits) as one,
        routing(bus, there, "two", limits) as two,
        one.budgets.hold(ask("hello", options=SMALL)),
    ):
        with pytest.raises(BudgetExceeded):
            await two.spend()
        two.sharing.peers.seen(one.sharing._run, leaving=True)
        await two.spend()


async def test_a_restart_counts_nothing_twice_and_forgets_nothing(bus, tmp_path):
    here, there = folders(tmp_path)
    async with routing(bus, there, "two") as two:
        for n in range(1, 4):
            async with routing(bus, here) as one:
                await one.sees((n - 1) * MOST)
                await one.spend()
                await two.sees(n * MOST)
    assert len(await kept(bus)) == 3


async def test_what_the_bucket_lost_is_told_again_from_the_record(bus, tmp_path):
    here, there = folders(tmp_path)
    async with routing(bus, here) as one:
        await one.spend()
    await bus.js.purge_stream(STREAM)
    async with routing(bus, here) as one, routing(bus, there, "two") as two:
        await one.sees(MOST)
        await two.sees(MOST)
        assert (await two.line()).elsewhere_tokens == MOST


async def test_two_routers_of_one_record_count_each_call_once(bus, tmp_path):
    here, there = folders(tmp_path)
    async with routing(bus, here) as first, routing(bus, there, "two") as other:
        await first.spend()
        async with routing(bus, here) as second:
            await second.spend()
            await first.spend()
            for router in (first, second, other):
                await router.sees(3 * MOST)
            assert (await second.line()).elsewhere_tokens == 0
            assert (await other.line()).elsewhere_tokens == 3 * MOST


async def test_without_the_bucket_each_counts_by_itself_and_later_together(bus, tmp_path, caplog):
    here, there = folders(tmp_path)
    async with routing(bus, here) as one, routing(bus, there, "two") as two:
        await one.spend()
        await two.sees(MOST)
        await bus.js.delete_key_value("budgets")
        await one.spend()
        await two.spend()
        await until(lambda: one.sharing.alone and two.sharing.alone)
        with caplog.at_level(logging.WARNING):
            await one.spend()
            await one.sees(3 * MOST)
            await two.sees(2 * MOST)
            await bootstrap.ensure(bus)
            await one.sees(4 * MOST)
            await two.sees(4 * MOST)
        said = [each for each in caplog.messages if "again" in each]
    assert len(said) == 2


async def test_a_lost_connection_is_noticed_before_the_next_call_is_counted(
    bus, nats_server, tmp_path
):
    here, there = folders(tmp_path)
    async with routing(bus, here) as one:
        await one.spend()
        one.sharing.peers._known_at = 0.0
        nats_server.kill()
        await until(lambda: not bus.nc.is_connected)
        await one.spend()
        assert one.sharing.alone
        nats_server.start()
        await until(lambda: not one.sharing.alone)
        async with routing(bus, there, "two") as two:
            await two.sees(2 * MOST)


async def test_rubbish_in_the_bucket_counts_nothing(bus, tmp_path):
    name = named(Key("caller", "ann", now().date().isoformat()[:7]))
    bucket = await bus.js.key_value("budgets")
    for n, rubbish in enumerate((b"", b"garbage", b'{"number": 1, "spent_tokens": -5}')):
        await bucket.put(f"{name}.r{n}", rubbish)
    here, _ = folders(tmp_path)
    async with routing(bus, here) as one:
        await bucket.put(f"{name}.late", b"[]")
        await one.spend()
        await one.sees(MOST)
        assert not one.sharing.alone


async def test_a_whole_router_shares_and_names_its_run_in_its_beat(bus, router):
    async with router(budgets=(SpendingLimit(tokens=5000),)) as service:
        await chat(bus, ask("hello"))
        told = await bus.request("model.budgets", Empty(), BudgetList)
        run = service.heart.info()["run"]
        assert (told.alone, told.routers, told.lines[0].spent_tokens > 0) == ("", 1, True)
    assert [subject.rpartition(".")[2] for subject in await kept(bus)] == [run]


async def test_the_rights_of_a_router_are_enough(guarded, tmp_path):
    here, _ = folders(tmp_path)
    async with open_bus(guarded("router"), "router") as bus, routing(bus, here) as one:
        await one.spend()
        await one.sharing.flush()
        assert not one.sharing.alone
        assert len(await kept(bus)) == 1
