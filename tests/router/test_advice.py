import pytest

from services.router.advice import advice, weights
from services.router.recent import Recent, percentile
from services.router.report import efficiency, measure
from shared.events import CacheStatus
from shared.settings import RouterSettings


def rows(count: int, **changes):
    usual = {
        "is_llm": 1, "engine": "ollama", "model": "m", "cache": "miss", "error": None,
        "queue_s": 0.0, "total_s": 1.0, "load_s": 0.0, "eval_s": 0.5, "completion_tokens": 10,
    }  # fmt: skip
    return (usual | changes,) * count


def ids(found: Recent, **cache) -> list[str]:
    return [one.id for one in advice(found, CacheStatus(**cache), RouterSettings())]


def test_a_healthy_router_needs_no_advice():
    assert ids(Recent(rows(50))) == []


def test_each_rule_speaks_when_its_figures_do():
    assert ids(Recent(rows(50, queue_s=0.5))) == ["slots"]
    assert ids(Recent(rows(50, load_s=0.5))) == ["keep_alive"]
    assert ids(Recent(rows(50, cache="off"))) == ["deterministic"]
    assert ids(Recent(rows(5, error="output_cut"))) == ["max_tokens"]
    assert ids(Recent(rows(5, error="input_too_long"))) == ["num_ctx"]
    assert ids(Recent(rows(1, engine="offline", is_llm=0))) == ["engine"]
    assert ids(Recent(()), evictions=50, hits=5) == ["cache_entries"]


def test_a_host_that_fails_more_than_the_others_is_given_less():
    good, bad = rows(50, host="gpu1"), rows(30, host="gpu2") + rows(20, host="gpu2", error="x")
    (found,) = weights(Recent(good + bad), {"gpu1": 1.0, "gpu2": 2.0})
    assert (found.setting, found.current, found.proposed) == ("weights.gpu2", "2", "0.5")
    assert (found.measured, found.expected) == (0.4, 0.0)
    assert weights(Recent(bad), {"gpu2": 1.0}) == ()
    assert weights(Recent(good + rows(5, host="gpu2", error="x")), {"gpu1": 1, "gpu2": 1}) == ()


def test_a_few_calls_prove_nothing():
    assert ids(Recent(rows(5, queue_s=0.9, load_s=0.9, cache="off"))) == []


def test_the_callers_faults_do_not_lower_the_efficiency():
    found = Recent(rows(3) + rows(4, error="invalid_input") + rows(3, error="budget_exceeded"))
    assert measure(found, CacheStatus())["success"] == 1.0


def test_the_efficiency_is_the_weighted_mean_of_the_known_parts():
    parts = measure(Recent(rows(8, queue_s=0.5) + rows(2, error="engine_failed")), CacheStatus())
    assert parts == {"success": 0.8, "no_waiting": 0.5, "reuse": None, "warm": 1.0}
    expected = 100 * (0.4 * 0.8 + 0.3 * 0.5 + 0.1 * 1.0) / 0.8
    assert efficiency(parts) == pytest.approx(expected, abs=0.1)


def test_percentiles_are_values_that_occurred():
    values = [float(n) for n in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99)) == (50.0, 99.0)
    assert percentile([7.0], 0.95) == 7.0
    assert percentile([], 0.5) is None
