from services.dashboard.vitals import GONE_AFTER_S, MOST_INSTANCES, Vitals
from tests.dashboard.conftest import beat


def test_a_fresh_beat_is_its_own_state():
    vitals = Vitals()
    vitals.take(beat(state="starting"), 0.0)
    assert vitals.state_of("router", 0.5) == "starting"


def test_silence_is_told_from_a_planned_stop():
    vitals = Vitals()
    vitals.take(beat("router"), 0.0)
    vitals.take(beat("match", state="goodbye"), 0.0)
    assert (vitals.state_of("router", 4.0), vitals.state_of("match", 4.0)) == ("silent", "stopped")


def test_a_service_is_as_good_as_its_best_instance():
    vitals = Vitals()
    vitals.take(beat("agents", instance="a"), 0.0)
    vitals.take(beat("agents", instance="b"), 10.0)
    assert vitals.state_of("agents", 10.0) == "ready"


def test_a_late_loop_is_lagging_and_still_up():
    vitals = Vitals()
    vitals.take(beat(loop_lag_s=0.9), 0.0)
    assert vitals.state_of("router", 0.0) == "lagging"
    assert vitals.up(0.0) == ["router"]


def test_a_new_boot_is_a_restart():
    vitals = Vitals()
    vitals.take(beat(boot="one"), 0.0)
    vitals.take(beat(boot="two"), 1.0)
    assert vitals.of("router")[0].boots == 2


def test_processor_share_comes_from_two_beats():
    vitals = Vitals()
    vitals.take(beat(uptime_s=10.0, cpu_s=1.0), 0.0)
    vitals.take(beat(uptime_s=12.0, cpu_s=1.5), 2.0)
    assert vitals.of("router")[0].cpu_share == 0.25


def test_what_is_long_gone_is_forgotten():
    vitals = Vitals()
    vitals.take(beat(), 0.0)
    vitals.sample(GONE_AFTER_S + 1)
    assert vitals.instances == {}


def test_forged_instances_cannot_fill_the_memory():
    vitals = Vitals()
    for number in range(MOST_INSTANCES + 10):
        vitals.take(beat(instance=f"i{number}"), 0.0)
    assert len(vitals.instances) == MOST_INSTANCES
