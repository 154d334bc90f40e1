from decimal import Decimal

import pytest

from services.router import history, sovereignty
from services.router.embedding.booking import shares
from services.router.prices import Price
from services.router.savings import savings
from shared.settings import Settings

PRICE = Price(Decimal("0.000001"), Decimal(0))


@pytest.mark.parametrize(("sizes", "tokens", "found"), [
    ([10, 30], 4, [1, 3]), ([1, 1, 1], 2, [0, 1, 1]), ([5], 7, [7]), ([3, 4], 0, [0, 0]),
])  # fmt: skip
def test_tokens_of_a_batch_are_shared_out_by_size_and_none_is_lost(sizes, tokens, found):
    assert shares(sizes, tokens) == found


async def test_savings_of_vectors_stand_apart_and_kept_ones_count(bench, tmp_path):
    async with bench(PRICE) as made:
        await made.embed("one two")
        await made.embed("one two", "four five")
        booking = made.desk.booking
        told = await savings(made.record, booking._accounts, booking)
        history.let_go(tmp_path / "calls.db", -1, 1000)
        folded = await savings(made.record, booking._accounts, booking)
    found = told.embeddings
    assert (found.calls, found.texts, found.kept_texts) == (2, 3, 1)
    assert (found.prompt_tokens, found.saved_usd) == (6, Decimal("0.000006"))
    assert found.reference_model == "far-embed"
    assert (told.calls, told.llm_calls, told.prompt_tokens) == (0, 0, 0)
    assert told.paid_usd() == 0
    assert folded.embeddings == found


async def test_an_unknown_price_of_the_reference_is_unknown(bench):
    async with bench() as made:
        await made.embed("a")
        booking = made.desk.booking
        found = (await savings(made.record, booking._accounts, booking)).embeddings
    assert (found.saved_usd, found.reference_usd, found.cost_usd) == (None, None, 0)


async def test_vectors_count_for_what_stays_at_home_and_not_for_the_share_of_rules(bench):
    async with bench() as made:
        await made.embed("a")
        facts = await sovereignty.gather(made.record, Settings(host="here"), (), None)
    told = sovereignty.judge(facts)
    assert (told.local_llm_share, told.offline_share) == (1.0, None)
