from services.dashboard.handlers import listening
from shared import events as e
from shared.errors import Unavailable
from tests.dashboard.conftest import answering, beat, door

SAVINGS = e.Savings(reference_model="gpt-4o", llm_calls=3)


async def test_health_says_what_is_missing(parts):
    parts.store.apply(beat("router", interval_s=60.0))
    async with door(parts) as client:
        body = (await client.get("/health")).json()
    assert body["status"] == "degraded"
    assert body["missing"] == ["agents", "match", "ops", "sessions", "dashboard"]
    assert body["services"]["router"]["instances"][0]["state"] == "ready"


async def test_health_is_ok_when_all_beat(parts):
    for name in ("router", "agents", "match", "ops", "sessions", "dashboard"):
        parts.store.apply(beat(name, interval_s=60.0))
    async with door(parts) as client:
        body = (await client.get("/health")).json()
    assert (body["status"], body["services_up"], body["services_expected"]) == ("ok", 6, 6)


async def test_alive_and_ready_differ_when_the_bus_is_away(parts, nats_server):
    async with door(parts) as client:
        assert (await client.get("/readyz")).status_code == 200
        nats_server.kill()
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_autonomous_status_answers_without_ops(parts):
    async with door(parts) as client:
        body = (await client.get("/autonomous/status")).json()
    assert body["autonomous"] is False
    assert body["missing"][0]["service"] == "ops"


async def test_autonomous_status_carries_the_view_of_ops(parts):
    parts.store.apply(beat("ops", interval_s=60.0))
    answers = {"ops.status": (e.Empty, e.OpsStatus(leader="ops-1", revision=3))}
    async with answering(parts.bus, answers), door(parts) as client:
        body = (await client.get("/autonomous/status")).json()
    assert (body["autonomous"], body["ops"]["leader"]) == (True, "ops-1")


async def test_a_report_that_nobody_ever_gave_is_503(parts):
    async with door(parts) as client:
        answer = await client.get("/optimization/report")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "unavailable"


async def test_the_last_known_report_outlives_its_service(parts):
    answers = {"model.savings": (e.Empty, SAVINGS)}
    async with door(parts) as client:
        async with answering(parts.bus, answers):
            await client.get("/optimization/report")
        body = (await client.get("/optimization/report")).json()
    assert body["savings"]["llm_calls"] == 3
    assert "savings" in body["stale_s"]


async def test_the_other_sides_error_is_told(parts):
    answers = {"model.sovereignty": (e.Empty, Unavailable("no price map"))}
    async with answering(parts.bus, answers), door(parts) as client:
        answer = await client.get("/sovereignty")
    assert "no price map" in answer.json()["error"]["message"]


async def test_metrics_carry_no_ids(parts):
    parts.store.apply(beat("router", instance="router-77", interval_s=60.0))
    async with door(parts) as client:
        text = (await client.get("/metrics")).text
    assert 'sovereign_service_up{service="router"} 1.0' in text
    assert "router-77" not in text


async def test_what_the_bus_tells_feeds_the_door(parts):
    async with listening(parts.bus, parts.store), door(parts) as client:
        while not parts.store.vitals.instances:
            await parts.bus.emit("health.beat.match.m", beat("match", interval_s=60.0))
            body = (await client.get("/health")).json()
        body = (await client.get("/health")).json()
    assert body["services"]["match"]["state"] == "ready"
