import json
from decimal import Decimal

from shared.events import (
    Latency,
    OptimizationReport,
    Recommendation,
    Savings,
    Sovereignty,
    SovereigntyPart,
)
from tests.cli.conftest import answer


async def test_savings_name_the_model_that_they_are_against(cli, bus):
    found = Savings(reference_model="gpt-4o", calls=3, saved_usd=Decimal("1.25"))
    await answer(bus, "model.savings", found)
    assert "saved against gpt-4o  1.2500 USD" in (await cli("savings")).stdout


async def test_an_unknown_price_is_never_a_number(cli, bus):
    await answer(bus, "model.savings", Savings(reference_model="unheard-of"))
    assert "unknown" in (await cli("savings")).stdout
    assert json.loads((await cli("savings", "--json")).stdout)["saved_usd"] is None


async def test_the_report_shows_latency_and_advice(cli, bus):
    latency = Latency(model="llama3.1:8b", engine="ollama", calls=9, p95_s=1.5)
    advice = Recommendation(id="r", title="Raise the cache", why="it is full")
    found = OptimizationReport(efficiency=0.7, latency=(latency,), recommendations=(advice,))
    await answer(bus, "model.report", found)
    shown = (await cli("optimization", "report")).stdout
    assert all(part in shown for part in ("70%", "1.500 s", "Raise the cache", "it is full"))


async def test_sovereignty_shows_its_parts(cli, bus):
    part = SovereigntyPart(name="inference", value=1.0, weight=0.5, explanation="all local")
    await answer(bus, "model.sovereignty", Sovereignty(score=92.4, parts=(part,)))
    shown = (await cli("sovereignty")).stdout
    assert "92 of 100" in shown
    assert "all local" in shown
