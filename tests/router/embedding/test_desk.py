import asyncio
import contextlib
from array import array
from decimal import Decimal

import pytest

from services.router.engine import Vectors
from services.router.prices import Price
from services.router.record import dollars
from shared.errors import (
    BudgetExceeded,
    EngineFailed,
    InvalidInput,
    ModelMissing,
    NeedsModel,
    Refused,
    TimedOut,
)
from shared.events import Empty
from shared.settings import CloudModel, OllamaHost, SpendingLimit
from tests.router.embedding.conftest import asked

MODEL = "nomic-embed-text"
PRICE = Price(Decimal("0.000001"), Decimal(0))


async def test_of_a_batch_only_what_is_not_known_is_asked_for(bench, fake):
    texts = [f"text number {n}" for n in range(100)]
    async with bench() as made:
        first = await made.embed(*texts[:90])
        whole = await made.embed(*texts)
        lines = await made.lines()
    assert fake.stats.embedded == [texts[:90], texts[90:]]
    assert whole.embeddings[:90] == first.embeddings
    assert (whole.cache, whole.kept, whole.prompt_tokens) == ("miss", 90, 300)
    assert lines == [("miss", 90, 270, None), ("miss", 10, 30, None), ("hit", 90, 270, None)]


async def test_a_vector_from_the_cache_is_the_same_and_says_what_its_tokens_were(bench, fake):
    async with bench() as made:
        fresh, kept = await made.embed("one two three"), await made.embed("one two three")
    assert kept.embeddings == fresh.embeddings
    assert (kept.cache, kept.kept, kept.prompt_tokens, kept.cost_usd) == ("hit", 1, 3, 0)
    host = made.desk.switch.primary.hosts[0].name
    assert (fresh.cache, fresh.kept, fresh.host) == ("miss", 0, host)
    assert [(one.kind, one.count, one.of) for one in made.caches] == [
        ("miss", 1, "embed"), ("store", 1, "embed"), ("hit", 1, "embed"),
    ]  # fmt: skip


async def test_the_same_text_twice_in_a_batch_is_asked_for_once(bench, fake):
    async with bench() as made:
        reply = await made.embed("a b", "c", "a b")
        lines = await made.lines()
    assert fake.stats.embedded == [["a b", "c"]]
    assert reply.embeddings[0] == reply.embeddings[2] != reply.embeddings[1]
    assert (reply.kept, reply.prompt_tokens) == (1, 5)
    assert lines == [("miss", 2, 3, None), ("coalesced", 1, 2, None)]


async def test_identical_texts_in_flight_share_one_call(bench, fake):
    fake.embed_gate.clear()
    async with bench(slots=2) as made, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(made.embed("a", "b"))
        await asked(fake, 1)
        others = [tasks.create_task(made.embed("b", "c")) for _ in range(50)]
        await asked(fake, 2)
        fake.embed_gate.set()
        replies = [await one for one in (first, *others)]
    assert fake.stats.embedded == [["a", "b"], ["c"]]
    ways = [one.cache for one in replies]
    assert (ways[:2], set(ways[2:])) == (["miss", "miss"], {"coalesced"})


async def test_tenants_share_nothing(bench, fake):
    async with bench() as made:
        for tenant in ("one", "two", "one"):
            await made.embed("a", tenant=tenant)
    assert fake.stats.embedded == [["a"], ["a"]]


@pytest.mark.parametrize("asks", [{"cache": "off"}, {"dimensions": 8}])
async def test_who_wants_it_fresh_or_otherwise_gets_it_so(bench, fake, asks):
    async with bench() as made:
        await made.embed("a")
        reply = await made.embed("a", **asks)
        await made.embed("a")
    assert reply.kept == 0
    assert len(fake.stats.embedded) == 2


async def test_another_digest_finds_no_old_vectors(bench, fake):
    async with bench() as made:
        await made.embed("a")
        fake.pulls += 1
        await made.desk.switch.probe()
        await made.embed("a")
    assert len(fake.stats.embedded) == 2


async def test_who_began_may_leave_and_the_others_get_it_and_pay(bench, fake):
    fake.embed_gate.clear()
    async with bench() as made, asyncio.TaskGroup() as tasks:
        first = tasks.create_task(made.embed("a", agent="first"))
        await asked(fake, 1)
        second = tasks.create_task(made.embed("a", agent="second"))
        while len(made.caches) < 2:  # noqa: ASYNC110 - it has boarded then
            await asyncio.sleep(0.002)
        first.cancel()
        await asyncio.wait((first,))
        fake.embed_gate.set()
        assert (await second).cache == "miss"
        lines = await made.lines()
    assert lines == [("miss", 1, 0, "cancelled"), ("miss", 1, 1, None)]


async def test_when_the_last_has_left_nothing_goes_on_and_nothing_is_kept(bench, fake):
    fake.embed_gate.clear()
    async with bench() as made:
        with pytest.raises(TimedOut) as caught:
            await made.embed("a", timeout_s=0.05)
        assert caught.value.field == "timeout_s"
        while made.desk.switch.primary.hosts[0].busy:  # noqa: ASYNC110 - its place is free then
            await asyncio.sleep(0.002)
        fake.embed_gate.set()
        await made.embed("a")
        lines = await made.lines()
    assert [line[3] for line in lines] == ["timed_out", None]
    assert made.desk.cache.status().misses == 2


async def test_a_crash_is_asked_again_and_two_are_told_and_recorded(bench, fake):
    async with bench() as made:
        fake.embed_crashes = 1
        assert (await made.embed("a")).cache == "miss"
        fake.embed_crashes = 2
        with pytest.raises(EngineFailed):
            await made.embed("b")
        lines = await made.lines()
    assert lines[1] == ("miss", 1, 0, "engine_failed")
    assert made.costs[1].error == "engine_failed"
    assert made.desk.cache.status().entries == 1


async def test_fallbacks_come_in_order_and_a_batch_is_of_one_model(bench, fake):
    fake.models.add("other-embed:latest")
    async with bench(fallbacks={MODEL: "missing-embed, other-embed"}) as made:
        await made.embed("a")
        fake.models.remove(f"{MODEL}:latest")
        await made.desk.switch.probe()
        reply = await made.embed("a", "b")
        rows = await made.record.rows("SELECT model, error, rule FROM calls ORDER BY id")
    assert (reply.model, reply.kept) == ("other-embed", 0)
    assert [(row["model"], row["error"]) for row in rows] == [
        (MODEL, None), (MODEL, "model_missing"), ("missing-embed", "model_missing"),
        ("other-embed", None),
    ]  # fmt: skip
    assert reply.rule == "default; after missing-embed: model_missing"


@pytest.mark.parametrize(("fields", "error"), [
    ({"model": "big:cloud"}, Refused), ({"model": "missing"}, ModelMissing),
    ({"model": "remote-embed"}, Refused),
])  # fmt: skip
async def test_names_that_cannot_answer_are_told_and_recorded(bench, fields, error):
    async with bench() as made:
        with pytest.raises(error):
            await made.embed("a", **fields)
        assert [line[3] for line in await made.lines()] == [error.code]


async def test_an_empty_text_is_named(bench):
    async with bench() as made:
        with pytest.raises(InvalidInput) as caught:
            await made.embed("a", "")
    assert caught.value.field == "input.1"


async def test_rules_make_no_vectors_and_count_nothing(bench, fake):
    async with bench(engine="offline") as made:
        with pytest.raises(NeedsModel):
            await made.embed("a")
        assert await made.lines() == []


async def test_the_line_and_the_event_say_whose_call_it_was(bench):
    whose = {"task_id": "t1", "step_id": "s1", "agent": "builder", "tenant": "x",
             "source": "openai", "caller": "laptop", "request_id": "r1"}  # fmt: skip
    async with bench(PRICE) as made:
        await made.embed("one two", **whose)
        (row,) = await made.record.rows("SELECT * FROM calls")
    assert {name: row[name] for name in whose} == whose
    assert (row["kind"], row["model"], row["engine"]) == ("embed", MODEL, "ollama")
    assert (row["is_llm"], bool(row["host"])) == (1, True)
    assert row["total_s"] > 0
    (event,) = made.costs
    assert (event.kind, event.texts, event.reference_model) == ("embed", 1, "far-embed")
    assert event.saved_usd == Decimal("0.000002")


async def test_energy_is_the_cost_of_vectors_too(bench, fake):
    host = OllamaHost(url=fake.url, watts=1000.0)
    async with bench(ollama_hosts=(host,), energy_usd_per_kwh=Decimal(10)) as made:
        fresh, kept = await made.embed("a"), await made.embed("a")
    assert 0 < fresh.cost_usd < Decimal("0.1")
    assert kept.cost_usd == 0


async def test_budgets_are_asked_before_the_call_and_only_for_what_is_asked(bench, fake):
    limit = SpendingLimit(of="agent", name="builder", tokens=30)
    async with bench(budgets=(limit,)) as made:
        await made.embed("short", agent="builder")
        with pytest.raises(BudgetExceeded):
            await made.embed("short", "x" * 100, agent="builder")
        assert (await made.embed("short", agent="builder")).cache == "hit"
    assert fake.stats.embedded == [["short"]]


async def test_what_anothers_budget_does_not_reach_for_is_asked_on_ones_own(bench, fake):
    fake.embed_gate.clear()
    limit = SpendingLimit(of="agent", name="poor", tokens=1)
    async with bench(budgets=(limit,)) as made:
        poor, rich = made.embed("a", agent="poor"), made.embed("a", "b", agent="rich")
        first = asyncio.create_task(poor)
        second = asyncio.create_task(rich)
        await asked(fake, 1)
        fake.embed_gate.set()
        with pytest.raises(BudgetExceeded):
            await first
        assert len((await second).embeddings) == 2
    assert fake.stats.embedded == [["b"], ["a"]]


async def test_vectors_need_no_model_that_chats(bench, fake):
    fake.models.remove("llama3.1:8b")
    async with bench() as made:
        assert (await made.embed("a")).model == MODEL


async def test_an_answer_that_is_not_whole_is_a_fault_and_is_not_kept(bench, fake, monkeypatch):
    monkeypatch.setattr("tests.fakes.ollama.vector", lambda text: [1.0] * len(text))
    async with bench() as made:
        with pytest.raises(EngineFailed):
            await made.embed("a", "bb")
        assert made.desk.cache.status().entries == 0


class Far:
    """A cloud that fails the first `crashes` times."""

    name, is_llm, own, cost = "cloud", True, False, PRICE

    def __init__(self, crashes: int) -> None:
        self.crashes = crashes

    async def identity(self, model: str) -> str:
        return model

    async def embed(self, request) -> Vectors:
        self.crashes -= 1
        if self.crashes >= 0:
            raise EngineFailed("crashed")
        vectors = tuple(array("d", [1.0]) for _ in request.input)
        return Vectors(vectors, "far", 2, cost_usd=PRICE.of(2, 0), own_host=False)


@pytest.mark.parametrize(("crashes", "errors"), [(1, [None, "engine_failed"]),
                                                 (2, ["engine_failed"])])  # fmt: skip
async def test_what_a_cloud_may_have_charged_is_on_the_record_and_in_the_budget(
    bench, crashes, errors
):
    cloud = CloudModel(model="openai/text-embedding-3-small", usd_per_month=1)
    async with bench(far=Far(crashes), clouds={"far": cloud}) as made:
        with contextlib.suppress(EngineFailed):
            await made.embed("a", model="far")
        rows = await made.record.rows("SELECT error, cost_pico FROM calls ORDER BY id")
        (line,) = (await made.desk.budgets.list_budgets(Empty())).lines
    assert [row["error"] for row in rows] == errors
    assert dollars(sum(row["cost_pico"] for row in rows)) == line.spent_usd > PRICE.of(2, 0)
