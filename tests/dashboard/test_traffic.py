from decimal import Decimal

from services.dashboard.traffic import WINDOW_S, Traffic
from shared.events import CacheEvent, CostEvent


def cost(**more: object) -> CostEvent:
    values = {"request_id": "r", "engine": "ollama", "model": "m", "is_llm": True, "cache": "miss"}
    return CostEvent.model_validate({**values, **more})


def test_the_hit_rate_is_unknown_before_the_first_lookup():
    assert Traffic().hit_rate() is None


def test_coalesced_answers_count_as_hits():
    traffic = Traffic()
    for kind in ("hit", "coalesced", "miss", "store", "miss"):
        traffic.take_cache(CacheEvent(kind=kind, key="k"))
    assert traffic.hit_rate() == 0.5


def test_percentiles_are_of_the_last_half_minute():
    traffic = Traffic()
    traffic.take_cost(cost(seconds=9.0), at=0.0)
    traffic.take_cost(cost(seconds=1.0), at=WINDOW_S + 1)
    assert traffic.percentile(0.95, WINDOW_S + 2) == 1.0


def test_no_calls_is_a_gap_and_not_a_zero():
    assert Traffic().percentile(0.5, 0.0) is None


def test_unknown_prices_stay_unknown():
    traffic = Traffic()
    traffic.take_cost(cost(saved_usd=None), at=0.0)
    assert traffic.saved_usd is None
    traffic.take_cost(cost(saved_usd=Decimal("0.10")), at=0.0)
    assert traffic.saved_usd == Decimal("0.10")


def test_rules_are_counted_apart_from_models():
    traffic = Traffic()
    traffic.take_cost(cost(is_llm=False), at=0.0)
    assert (traffic.llm_calls, traffic.offline_calls) == (0, 1)


def test_embeddings_bend_neither_latencies_nor_the_hit_rate_of_answers():
    traffic = Traffic()
    traffic.take_cost(cost(seconds=2.0), at=0.0)
    traffic.take_cost(cost(seconds=0.1, kind="embed", texts=9, cost_usd=Decimal(1)), at=0.0)
    traffic.take_cache(CacheEvent(kind="miss", key="k"))
    traffic.take_cache(CacheEvent(kind="hit", key="k", of="embed", count=9))
    assert (traffic.percentile(0.5, 1.0), traffic.hit_rate()) == (2.0, 0.0)
    assert (traffic.texts, traffic.vectors["hit"], traffic.llm_calls) == (9, 9, 1)
    assert traffic.cost_usd == 1
