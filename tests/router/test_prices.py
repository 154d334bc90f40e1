import sys
from decimal import Decimal

from services.router import prices

TABLE = """{
  "sample_spec": {"input_cost_per_token": 0.0},
  "cheap": {"litellm_provider": "x", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
    "cache_read_input_token_cost": 1e-07},
  "half": {"input_cost_per_token": 1e-06},
  "free": {"input_cost_per_token": 0, "output_cost_per_token": 0}
}"""


def test_known_prices_are_exact_and_unknown_ones_left_out(tmp_path):
    path = tmp_path / "table.json"
    path.write_text(TABLE)
    found = prices.read(path, ("cheap", "half", "free", "nowhere", ""))
    assert sorted(found) == ["cheap", "free"]
    assert found["cheap"].of(10, 5) == Decimal("0.00002")
    assert found["cheap"].of(10, 5, 4) == Decimal("0.0000164")
    assert found["free"].of(10, 5, 4) == 0


def test_the_table_is_read_without_importing_litellm():
    before = "litellm" in sys.modules
    found = prices.read(prices.table(), ("gpt-4o",))
    assert found["gpt-4o"].prompt == Decimal("0.0000025")
    assert ("litellm" in sys.modules) == before


def test_without_a_table_nothing_is_known():
    assert prices.read(None, ("gpt-4o",)) == {}
