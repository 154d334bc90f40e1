from datetime import UTC, datetime, timedelta

import pytest

from services.ops.availability import Availability
from shared.events import OpsEvent

START = datetime(2026, 11, 1, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def event(kind: str, second: float, **fields) -> OpsEvent:
    given = {"event_id": f"{kind}{second}", "service": "match", "host": "here", "at": at(second)}
    return OpsEvent(kind=kind, **given | fields)


def crash(second: float, took: float, outcome: str = "recovered") -> OpsEvent:
    return event("outcome", second, symptom="crash", outcome=outcome, duration_s=took)


def hang(kind: str, second: float, **fields) -> OpsEvent:
    return event(kind, second, symptom="hang", episode="e1", **fields)


def record(*events: OpsEvent, until: float = 1000):
    availability = Availability()
    for one in events:
        availability.take(one)
    return availability.told(at(until))[0]


def test_the_mean_time_to_repair_is_that_of_all_repairs():
    found = record(event("started", 0), crash(10, 2.0), crash(20, 4.0))
    assert (found.failures, found.recovered, found.mttr_s, found.down_s) == (2, 2, 3.0, 6.0)
    assert found.availability == pytest.approx(0.994)


def test_a_hang_lasts_until_its_recovery():
    recovered = hang("recovered", 17, duration_s=7.0)
    found = record(event("started", 0), hang("symptom", 10), hang("outcome", 12), recovered)
    assert (found.failures, found.mttr_s, found.availability) == (1, 7.0, 0.993)


def test_an_open_outage_counts_until_now():
    found = record(event("started", 0), hang("symptom", 500))
    assert (found.recovered, found.mttr_s, found.availability) == (0, None, 0.5)


def test_a_quarantine_counts_until_it_is_released():
    open_one = record(event("started", 0), crash(100, 0.0, "not back"), until=200)
    assert open_one.availability == 0.5
    ended = record(event("started", 0), crash(100, 2.0, "not back"), event("ready", 150))
    assert (ended.down_s, ended.recovered, ended.mttr_s) == (52, 1, 52.0)


def test_a_clock_that_is_set_does_not_change_what_was_measured():
    found = record(event("started", 0), hang("symptom", 10), hang("recovered", 3700, duration_s=6))
    assert found.down_s == 6


def test_nothing_is_told_of_what_was_never_heard():
    assert Availability().told(START) == ()
