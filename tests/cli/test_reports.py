import base64
import gzip
import json
from decimal import Decimal

from shared.clock import now
from shared.events import (
    Anomaly,
    EmbedSavings,
    Forecast,
    Latency,
    MonitorReport,
    OptimizationReport,
    Recommendation,
    Savings,
    SeriesLine,
    Sovereignty,
    SovereigntyPart,
    TuningChange,
    TuningChanges,
    TuningMeasure,
    UsageFault,
    UsageImported,
    UsageKind,
)
from tests.cli.conftest import answer


async def test_savings_name_the_model_that_they_are_against(cli, bus):
    found = Savings(reference_model="gpt-4o", calls=3, saved_usd=Decimal("1.25"))
    await answer(bus, "model.savings", found)
    assert "saved against gpt-4o  1.2500 USD" in (await cli("savings")).stdout


async def test_savings_of_embeddings_are_shown_against_their_own_reference(cli, bus):
    embedded = EmbedSavings(
        reference_model="text-embedding-3-small", texts=10, saved_usd=Decimal("0.00000042")
    )
    await answer(bus, "model.savings", Savings(reference_model="gpt-4o", embeddings=embedded))
    shown = (await cli("savings")).stdout
    assert "saved against text-embedding-3-small  0.00000042 USD" in shown
    assert "saved against gpt-4o  unknown" in shown


async def test_an_unknown_price_is_never_a_number(cli, bus):
    await answer(bus, "model.savings", Savings(reference_model="unheard-of"))
    assert "unknown" in (await cli("savings")).stdout
    assert json.loads((await cli("savings", "--json")).stdout)["saved_usd"] is None


async def test_the_report_shows_latency_and_advice(cli, bus):
    latency = Latency(model="llama3.1:8b", engine="ollama", calls=9, p95_s=1.5)
    advice = Recommendation(id="r", title="Raise the cache", why="it is full")
    found = OptimizationReport(efficiency=70.4, latency=(latency,), recommendations=(advice,))
    await answer(bus, "model.report", found)
    shown = (await cli("optimization", "report")).stdout
    assert all(part in shown for part in ("70 of 100", "1.500 s", "Raise the cache", "it is full"))


async def test_a_recommendation_is_applied_and_taken_back_by_its_id(cli, bus):
    change = TuningChange(id="c1", recommendation="num_ctx", title="t", setting="num_ctx",
                          before="8192", after="16384", metric="too_long")  # fmt: skip
    applied = await answer(bus, "model.apply", change)
    taken = await answer(bus, "model.rollback", change)
    shown = (await cli("optimization", "apply", "num_ctx", "--value", "16384")).stdout
    assert "8192 -> 16384" in shown
    assert "rollback c1" in shown
    assert (applied[0]["id"], applied[0]["value"]) == ("num_ctx", "16384")
    assert "16384 -> 8192" in (await cli("optimization", "rollback", "c1")).stdout
    assert taken[0]["id"] == "c1"


async def test_changes_are_compared_before_and_after(cli, bus):
    measure = TuningMeasure(calls=50, value=0.25)
    change = TuningChange(id="c1", recommendation="r", title="t", setting="keep_alive",
                          before="30m", after="-1", metric="load", measured_before=measure,
                          measured_after=TuningMeasure(calls=60, value=0.0),
                          verdict="better")  # fmt: skip
    await answer(bus, "model.changes", TuningChanges(changes=(change,)))
    shown = (await cli("optimization", "changes")).stdout
    assert all(part in shown for part in ("keep_alive", "25.0% of 50", "0.0% of 60", "better"))


async def test_the_monitor_tells_what_is_not_as_usual(cli, bus):
    line = SeriesLine(model="m", host="gpu1", engine="ollama", calls=9, errors=1, p95_s=2.5)
    odd = Anomaly(model="m", host="gpu1", metric="errors", since=now(), value=0.4, usual=0.01)
    month = Forecast(what="calls", month="2026-11", so_far=10, expected=31.5)
    found = MonitorReport(hours=2, series=(line,), anomalies=(odd,), forecast=(month,))
    asked = await answer(bus, "model.monitor", found)
    shown = (await cli("optimization", "monitor", "--hours", "2")).stdout
    assert all(part in shown for part in ("gpu1", "2.500 s", "errors 0.4, usually 0.01", "31.5"))
    assert asked[0]["hours"] == 2


async def test_an_export_is_sent_whole_and_its_faults_are_told(cli, bus, tmp_path):
    kind = UsageKind(kind="embeddings", entries=2, paid_usd=Decimal(3), saved_usd=None)
    fault = UsageFault(line=7, why="no model is named")
    found = UsageImported(source="x.csv", entries=2, rejected=1, faults=(fault,), kinds=(kind,))
    asked = await answer(bus, "model.import", found)
    file = tmp_path / "x.csv"
    file.write_text("model,cost\nm,3\n")
    done = await cli("savings", "import", str(file))
    assert gzip.decompress(base64.b64decode(asked[0]["data"])) == file.read_bytes()
    assert "3.0000 USD" in done.stdout
    assert "line 7: no model is named" in done.stderr
    assert (await cli("savings", "import", str(tmp_path / "nothing"))).exit_code == 2


async def test_sovereignty_shows_its_parts(cli, bus):
    part = SovereigntyPart(name="inference", value=1.0, weight=0.5, explanation="all local")
    await answer(bus, "model.sovereignty", Sovereignty(score=92.4, parts=(part,)))
    shown = (await cli("sovereignty")).stdout
    assert "92 of 100" in shown
    assert "all local" in shown
