from datetime import timedelta

from services.ops.reasons import of_instances, of_record
from shared.clock import now
from shared.events import InstanceStatus, OpsEvent

WELL = InstanceStatus(
    service="supervisor", instance="supervisor-1", host="here", state="ready",
    silent_s=0, uptime_s=9, loop_lag_s=0, rss_bytes=1,
)  # fmt: skip


def test_all_well_has_no_reason():
    assert list(of_instances([WELL])) == []
    assert list(of_record([OpsEvent(event_id="1", kind="check")])) == []


def test_every_ill_thing_is_a_line():
    ill = [
        WELL.model_copy(update={"service": "match", "symptom": "hang"}),
        WELL.model_copy(update={"service": "router", "state": "backoff"}),
        WELL.model_copy(update={"info": {"reasons": ["disk_low: 3 MB are free"]}}),
        WELL.model_copy(update={"info": {"reasons": 7}}),
    ]
    assert list(of_instances(ill)) == [
        "match on here: hang",
        "router on here is backoff",
        "here: disk_low: 3 MB are free",
    ]


def test_a_record_that_the_bus_does_not_store_is_a_reason():
    old = OpsEvent(event_id="1", kind="check", at=now() - timedelta(seconds=30))
    assert list(of_record([old])) == ["the bus has not stored what ops told it 30 s ago"]
