from datetime import timedelta

from services.ops.crashes import ROOM, Crashes
from shared.clock import now
from shared.events import OpsEvent

START = now()


def event(kind: str, after_s: float = 0.0, **fields) -> OpsEvent:
    given = {"event_id": f"{kind}{after_s}", "kind": kind, "service": "match", "host": "here"}
    return OpsEvent.model_validate(given | {"at": START + timedelta(seconds=after_s)} | fields)


def test_a_crash_that_is_ready_again_has_recovered():
    crashes = Crashes()
    assert crashes.take(event("exited", cause="killed by SIGKILL")) is None
    ended = crashes.take(event("ready", 2.0, duration_s=2.0))
    assert (ended["outcome"], ended["duration_s"], ended["remedy"]) == ("recovered", 2.0, "restart")


def test_a_crash_loop_that_is_quarantined_is_not_back_since_its_first_exit():
    crashes = Crashes()
    for second in range(3):
        crashes.take(event("exited", float(second), evidence={"lived_s": 0.9}))
        crashes.take(event("restarted", float(second), duration_s=0.1))
    ended = crashes.take(event("quarantined", 3.0))
    assert (ended["outcome"], ended["duration_s"]) == ("not back", 2.0)


def test_a_step_of_the_clock_makes_no_outage_of_an_hour():
    crashes = Crashes()
    crashes.take(event("exited"))
    crashes.take(event("restarted", -3600.0, duration_s=0.02))
    ended = crashes.take(event("ready", 3600.0, duration_s=1.5))
    assert ended["duration_s"] == 1.5


def test_a_planned_exit_is_no_crash():
    crashes = Crashes()
    crashes.take(event("exited", evidence={"planned": True}))
    assert crashes.take(event("ready", 1.0)) is None


def test_open_crashes_are_bounded():
    crashes = Crashes()
    for number in range(ROOM + 5):
        crashes.take(event("exited", service=f"s{number}"))
    assert crashes.take(event("ready", service="s0")) is None
    assert crashes.take(event("ready", service=f"s{ROOM}")) is not None
