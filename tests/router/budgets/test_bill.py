"""Each attempt of a request is reserved before it is made, and booked by itself."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import anyio
import pytest

from services.router.accounts import row
from services.router.asking import ask as ask_whole
from services.router.budgets import budgets as module
from services.router.budgets.budgets import Budgets
from services.router.budgets.estimate import estimate
from services.router.engine import Answer
from services.router.errand import Errand
from services.router.flights import Flights
from services.router.record import open_record, pico
from shared.clock import now
from shared.errors import BudgetExceeded, EngineFailed, OutputInvalid
from shared.events import ChatOptions
from shared.settings import CloudModel, RouterSettings, SpendingLimit
from tests.router.budgets.test_budgets import PRICE, SMALL, budgets, lines, spend
from tests.router.conftest import ask
from tests.router.test_record import writing

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
WRONG = Answer(content="{}", model="m", prompt_tokens=40, completion_tokens=2, cost_usd=Decimal(0))
RIGHT = replace(WRONG, content='{"n": 1}')
CLOUD = CloudModel(model="openai/x", usd_per_month=Decimal("0.8"))


class Scripted:
    """Gives one outcome after the other, and counts how often it was asked."""

    def __init__(self, *outcomes: Answer | Exception) -> None:
        self.outcomes = list(outcomes)
        self.asked = 0

    async def chat(self, request, on_delta) -> Answer:
        self.asked += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture
async def record(tmp_path):
    async with open_record(tmp_path / "calls.db") as opened:
        yield opened


async def tried(kept: Budgets, engine: Scripted, **changes) -> Errand:
    """Ask as the desk does; the errand tells what is recorded of a failure."""
    errand = Errand(ask("one", **{"options": SMALL, "format": SCHEMA} | changes), None)
    async with kept.hold(errand.request) as errand.tab.bill:
        await ask_whole(engine, errand.request, None, errand.tab.bill)
    return errand


async def test_a_repair_that_does_not_fit_is_refused_before_it_is_made(record):
    limit = estimate(ask("one", options=SMALL, format=SCHEMA), 0, None).tokens + 60
    kept, engine = budgets(record, SpendingLimit(tokens=limit)), Scripted(WRONG, RIGHT)
    with pytest.raises(BudgetExceeded, match="42 of"):
        await tried(kept, engine)
    line = (await lines(kept))["all", ""]
    assert (engine.asked, line.spent_tokens, line.reserved_tokens) == (1, 42, 0)


async def test_both_attempts_are_booked_and_nothing_stays_reserved(record):
    kept = budgets(record, SpendingLimit(tokens=1000))
    await tried(kept, Scripted(WRONG, RIGHT))
    with pytest.raises(OutputInvalid):
        await tried(kept, Scripted(WRONG, WRONG))
    line = (await lines(kept))["all", ""]
    assert (line.spent_tokens, line.reserved_tokens) == (4 * 42, 0)


async def test_a_call_of_a_tool_that_is_asked_for_again_is_reserved_too(record):
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    request = ask("one", options=SMALL, tools=(tool,), tool_choice="required")
    limit = estimate(request, 0, None).tokens + 50
    kept, engine = budgets(record, SpendingLimit(tokens=limit)), Scripted(WRONG, WRONG)
    with pytest.raises(BudgetExceeded):
        async with kept.hold(request) as bill:
            await ask_whole(engine, request, None, bill)
    assert engine.asked == 1


async def test_a_crash_in_a_cloud_is_booked_and_its_retry_reserved(record):
    kept = Budgets(RouterSettings(clouds={"far": CLOUD}), record, {"far": PRICE})
    engine = Scripted(EngineFailed("crash"), replace(RIGHT, cost_usd=Decimal("0.01")))
    with pytest.raises(BudgetExceeded):
        await tried(kept, engine, model="far", options=ChatOptions(max_tokens=40))
    await tried(kept, Scripted(RIGHT), model="far")
    line = (await lines(kept))["cloud", "far"]
    assert (engine.asked, line.reserved_usd) == (1, 0)
    assert Decimal("0.4") < line.spent_usd < Decimal("0.8")


async def test_a_crash_at_home_costs_nothing_and_its_retry_needs_no_more(record):
    limit = estimate(ask("one", options=SMALL, format=SCHEMA), 0, None).tokens
    kept, engine = budgets(record, SpendingLimit(tokens=limit)), Scripted(EngineFailed("x"), RIGHT)
    await tried(kept, engine)
    assert (await lines(kept))["all", ""].spent_tokens == 42


async def test_what_was_never_sent_to_a_cloud_costs_nothing(record):
    kept = Budgets(RouterSettings(clouds={"far": CLOUD}), record, {"far": PRICE})
    with pytest.raises(asyncio.CancelledError):
        async with kept.hold(ask("one", options=SMALL, model="far")) as bill:
            bill.queued = True
            raise asyncio.CancelledError
    assert (await lines(kept))["cloud", "far"].spent_usd == 0


async def test_two_limits_of_one_budget_count_a_call_once_and_the_lower_holds(record):
    limits = SpendingLimit(of="task", tokens=40), SpendingLimit(of="task", tokens=1000)
    kept = budgets(record, *limits)
    await spend(kept, task_id="t", budget_tokens=500)
    with pytest.raises(BudgetExceeded, match="30 of 40"):
        for _ in range(9):
            await spend(kept, task_id="t", budget_tokens=500)
    assert (await lines(kept))["task", "t"].reserved_tokens == 0


async def test_a_call_that_runs_over_the_turn_counts_where_it_began(record, monkeypatch):
    began, ended = (now().replace(year=2030, month=m, day=d) for m, d in ((1, 31), (2, 1)))
    monkeypatch.setattr(module, "now", lambda: began)
    kept = budgets(record, SpendingLimit(tokens=100), SpendingLimit(tokens=90, per="day"))
    errand = Errand(ask("one", options=SMALL), None)
    async with kept.hold(errand.request) as errand.tab.bill:
        monkeypatch.setattr(module, "now", lambda: ended)
        await spend(kept)
        errand.tab.bill.paid(WRONG)
    found = {line.period: line for line in (await kept.list_budgets(None)).lines}
    spent = {period: line.spent_tokens for period, line in found.items()}
    assert spent == {"2030-01": 42, "2030-01-31": 42, "2030-02": 10, "2030-02-01": 10}
    assert {line.reserved_tokens for line in found.values()} == {0}
    assert row(errand.done(WRONG), None).at == began.isoformat()


async def test_a_shared_call_that_all_gave_up_is_on_the_record_of_the_last(tmp_path):
    kept_by = RouterSettings(clouds={"far": CLOUD})
    async with anyio.create_task_group() as tasks, writing(tmp_path / "calls.db") as record:
        kept, flights = Budgets(kept_by, record, {"far": PRICE}), Flights(tasks)
        errands = [Errand(ask("one", options=SMALL, model="far"), None) for _ in range(2)]
        sent = asyncio.Event()

        async def start(tell, tab) -> Answer:
            async with kept.hold(errands[0].request) as tab.bill:
                sent.set()
                await asyncio.Event().wait()

        rides = [
            asyncio.create_task(flights.ride("k", start, None, errand.pays)) for errand in errands
        ]
        await sent.wait()
        for errand, ride in zip(errands, rides, strict=True):
            ride.cancel()
            await asyncio.gather(ride, return_exceptions=True)
            record.add(row(errand.failed(), "cancelled"))
        spent = (await lines(kept))["cloud", "far"].spent_usd
        again = (await lines(Budgets(kept_by, record, {"far": PRICE})))["cloud", "far"]
        costs = [row["cost_pico"] for row in await record.rows("SELECT cost_pico FROM calls")]
    assert again.spent_usd == spent > Decimal("0.1")
    assert (costs[0], costs[1]) == (None, pico(spent))
