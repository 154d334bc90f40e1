import asyncio
from decimal import Decimal

import pytest

from services.router import accounts
from services.router.budgets.budgets import Budgets
from services.router.budgets.estimate import estimate, prompt_tokens
from services.router.engine import Answer
from services.router.errand import Errand
from services.router.prices import Price
from services.router.record import open_record, pico
from shared.clock import now
from shared.errors import BudgetExceeded, EngineFailed, InvalidInput
from shared.events import BudgetList, ChatOptions, Empty
from shared.settings import CloudModel, RouterSettings, SpendingLimit
from tests.router.conftest import ask, chat
from tests.router.test_record import row, writing

PRICE = Price(Decimal("0.001"), Decimal("0.01"))
SMALL = ChatOptions(max_tokens=10)
ANSWER = Answer(content="x", model="m", prompt_tokens=5, completion_tokens=5, cost_usd=Decimal(0))


@pytest.fixture
async def record(tmp_path):
    async with open_record(tmp_path / "calls.db") as opened:
        yield opened


def budgets(record, *limits: SpendingLimit, **settings) -> Budgets:
    return Budgets(RouterSettings(budgets=limits, **settings), record, {"far": PRICE})


async def spend(kept: Budgets, answer: Answer = ANSWER, **request) -> None:
    async with kept.hold(ask("hello", options=SMALL, **request)) as bill:
        bill.paid(answer)


async def lines(kept: Budgets):
    return {(one.of, one.name): one for one in (await kept.list_budgets(Empty())).lines}


def test_a_reservation_is_more_than_the_answer_will_use():
    request = ask("word " * 300, options=SMALL)
    assert 300 < prompt_tokens(request) < 1000
    assert estimate(request, 1024, None).usd == 0
    tokens = prompt_tokens(request)
    assert estimate(request, 1024, PRICE).usd == PRICE.of(tokens, 10)


async def test_each_task_has_its_own_and_the_full_one_is_refused(record):
    kept = budgets(record, SpendingLimit(of="task", tokens=38))
    await spend(kept, task_id="t1")
    await spend(kept, task_id="t1")
    with pytest.raises(BudgetExceeded, match="20 of 38 tokens") as caught:
        await spend(kept, task_id="t1")
    assert caught.value.field == "budget.task"
    await spend(kept, task_id="t2")
    await spend(kept)
    assert (await lines(kept))["task", "t1"].refused == 1


async def test_what_is_in_flight_is_reserved_and_freed_by_a_failure(record):
    kept = budgets(record, SpendingLimit(of="agent", name="builder", tokens=30))
    with pytest.raises(EngineFailed):
        async with kept.hold(ask("hello", options=SMALL, agent="builder")):
            with pytest.raises(BudgetExceeded):
                await spend(kept, agent="builder")
            await spend(kept, agent="analyzer")
            raise EngineFailed("crash")
    await spend(kept, agent="builder")


async def test_a_hundred_at_once_never_overrun(record):
    kept = budgets(record, SpendingLimit(tokens=200))
    found = await asyncio.gather(*(spend(kept) for _ in range(100)), return_exceptions=True)
    assert {type(one) for one in found} == {type(None), BudgetExceeded}
    assert (await lines(kept))["all", ""].spent_tokens <= 200


async def test_what_a_request_brings_for_its_task_counts_too(record):
    kept = budgets(record)
    with pytest.raises(BudgetExceeded):
        await spend(kept, task_id="t", budget_tokens=5)
    await spend(kept, task_id="t", budget_tokens=100)


async def test_the_record_is_read_so_that_a_restart_forgets_nothing(tmp_path):
    async with writing(tmp_path / "calls.db") as record:
        spent = {"prompt_tokens": 900, "cost_pico": pico(Decimal(2)), "caller": "ann"}
        record.add(row(**spent))
        record.add(row(**spent | {"cache": "hit"}))
        record.add(row(**spent | {"at": "2020-01-01T00:00:00+00:00"}))
        kept = budgets(record, SpendingLimit(of="caller", tokens=905, usd=Decimal(3)))
        with pytest.raises(BudgetExceeded, match="900 of 905"):
            await spend(kept, caller="ann")
        line = (await lines(kept))["caller", "ann"]
    assert (line.spent_usd, line.period) == (2, now().isoformat()[:7])


async def test_a_cloud_has_a_budget_and_a_lost_answer_counts_whole(record):
    cloud = CloudModel(model="openai/x", usd_per_month=Decimal("0.5"))
    kept = budgets(record, clouds={"far": cloud})
    with pytest.raises(EngineFailed):
        async with kept.hold(ask("hello", options=SMALL, model="far")):
            raise EngineFailed("gone")
    lost = (await lines(kept))["cloud", "far"].spent_usd
    assert lost > Decimal("0.1")
    for error in (InvalidInput("no"), BudgetExceeded("no")):
        with pytest.raises(type(error)):
            async with kept.hold(ask("hello", options=SMALL, model="far")):
                raise error
    assert (await lines(kept))["cloud", "far"].spent_usd == lost
    with pytest.raises(BudgetExceeded, match="USD"):
        for _ in range(9):
            await spend(kept, Answer(content="", model="far", cost_usd=None), model="far")


async def test_the_router_refuses_before_it_asks(bus, router, fake):
    limit = SpendingLimit(of="agent", tokens=100)
    async with router(budgets=(limit,), max_tokens=50):
        await chat(bus, ask("first", agent="builder"))
        with pytest.raises(BudgetExceeded) as caught:
            for n in range(20):
                await chat(bus, ask(f"again {n}", agent="builder"))
        chats = fake.stats.chats
        assert (await chat(bus, ask("first", agent="builder"))).cache == "hit"
        told = await bus.request("model.budgets", Empty(), BudgetList)
    assert caught.value.field == "budget.agent"
    assert fake.stats.chats == chats
    assert (told.lines[0].name, told.lines[0].refused) == ("builder", 1)


async def test_what_a_lost_answer_may_have_cost_is_known_after_a_restart(record):
    clouds = {"far": CloudModel(model="openai/x", usd_per_month=Decimal("0.5"))}
    kept = budgets(record, clouds=clouds)
    errand = Errand(ask("hello", options=SMALL, model="far"), None)
    with pytest.raises(EngineFailed):
        async with kept.hold(errand.request) as errand.tab.bill:
            raise EngineFailed("gone")
    record.add(accounts.row(errand.failed(), "engine_failed"))
    spent = (await lines(kept))["cloud", "far"].spent_usd
    writer = asyncio.create_task(record.run())
    again = (await lines(budgets(record, clouds=clouds)))["cloud", "far"]
    writer.cancel()
    assert again.spent_usd == spent > Decimal("0.1")
