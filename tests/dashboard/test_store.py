import random

from services.dashboard.store import POINTS, QUIET_AFTER_S
from shared.events import CacheEvent, EngineStatus, LiveUpdate, OpsEvent, Savings
from tests.dashboard.conftest import beat

ENGINE = EngineStatus(engine="offline", setting="auto", state="offline", is_llm=False)


def test_a_new_store_is_connecting_and_not_lost(store):
    assert store.mood() == "connecting"


def test_a_bus_that_is_away_is_lost(store):
    store.sample(bus_up=False)
    assert store.mood() == "connecting"
    store.sample(bus_up=True)
    store.sample(bus_up=False)
    assert store.mood() == "lost"


def test_a_beat_makes_it_live_and_silence_ends_that(store, clock):
    store.sample(bus_up=True)
    store.apply(beat())
    assert store.mood() == "live"
    clock.now += QUIET_AFTER_S + 1
    assert store.mood() == "silent"


def test_a_lost_bus_is_a_gap_in_every_line(store):
    store.sample(bus_up=False)
    point = store.points[-1]
    assert (point.messages, point.running, point.waiting, point.p50_s) == (None, None, None, None)


def test_the_rate_is_messages_over_time(store, clock):
    store.sample(bus_up=True)
    for _ in range(10):
        store.apply(CacheEvent(kind="hit", key="k"))
    clock.now += 2.0
    store.sample(bus_up=True)
    assert store.rate() == 5.0


def test_only_the_last_minute_is_kept(store, clock):
    for _ in range(POINTS + 30):
        clock.now += 0.5
        store.sample(bus_up=True)
    assert len(store.points) == POINTS


def test_the_engine_comes_from_the_routers_beat(store):
    store.apply(beat(info={"engine": ENGINE.model_dump(mode="json")}))
    assert store.engine().is_llm is False


def test_the_engine_of_a_silent_router_is_unknown(store, clock):
    store.apply(beat(info={"engine": ENGINE.model_dump(mode="json")}))
    clock.now += 60
    assert store.engine() is None


def test_a_forged_engine_is_unknown(store):
    store.apply(beat(info={"engine": {"engine": "x"}}))
    assert store.engine() is None


def test_the_last_answer_is_kept_when_the_next_one_fails(store):
    store.answer("model.savings", Savings(reference_model="m"))
    store.no_answer("model.savings", "nobody answers")
    known = store.reports["model.savings"]
    assert known.value.reference_model == "m"
    assert known.error == "nobody answers"


def test_unreadable_messages_are_counted_and_named(store):
    store.refuse("cost.event", "seconds: not a number")
    assert (store.malformed, store.last_malformed) == (1, "cost.event: seconds: not a number")


def test_a_days_worth_of_events_stays_in_bounds(store, clock):
    chance = random.Random(7)
    for number in range(20_000):
        clock.now += 0.01
        store.apply(CacheEvent(kind="hit", key=str(number)))
        store.apply(OpsEvent(event_id=str(number), kind="symptom"))
        task = f"t{chance.randrange(5000)}"
        store.apply(LiveUpdate(task_id=task, step_id="s", kind="text", text="x" * 50))
    assert (len(store.ops), len(store.crew.live), len(store.points)) == (300, 50, 0)


def test_while_the_bus_is_lost_the_services_are_as_they_were_last_seen(store, clock):
    store.apply(beat())
    store.sample(bus_up=True)
    clock.now += 60
    store.sample(bus_up=False)
    assert store.vitals.state_of("router", store.seen_at()) == "ready"
    store.sample(bus_up=True)
    assert store.vitals.state_of("router", store.seen_at()) == "silent"
