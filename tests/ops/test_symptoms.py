import pytest

from services.ops.instances import Instances
from services.ops.symptoms import is_calm_again, silence, slowness
from shared.settings import OpsSettings
from tests.ops.beating import beat

LIMITS = OpsSettings()
ALIVE = {"state": "ready", "pid": 7}


def heard(**fields):
    instances = Instances(LIMITS.pause_s)
    for second in range(20):
        instance = instances.hear(beat(seq=second, **fields), float(second))
    return instance


def test_silence_of_a_living_process_is_a_hang_with_its_evidence():
    finding = silence(heard(), ALIVE, LIMITS, 24.9)
    assert finding.symptom == "hang"
    assert finding.evidence["phi"] >= 8
    assert finding.evidence["pid"] == 7


def test_a_short_silence_is_nothing():
    assert silence(heard(), ALIVE, LIMITS, 22.9) is None


def test_a_service_that_is_starting_is_given_longer():
    assert silence(heard(state="starting"), ALIVE, LIMITS, 45.0) is None
    assert silence(heard(state="starting"), ALIVE, LIMITS, 60.0).symptom == "hang"


@pytest.mark.parametrize("state", ["goodbye", "draining"])
def test_a_planned_stop_is_no_symptom(state):
    assert silence(heard(state=state), ALIVE, LIMITS, 60.0) is None


@pytest.mark.parametrize(
    "child", [{"state": "backoff", "pid": None}, {"state": "starting", "pid": 8}]
)
def test_a_process_that_is_gone_is_in_the_supervisors_hands(child):
    assert silence(heard(), child, LIMITS, 60.0) is None


def test_silence_without_a_supervisor_is_a_loss():
    assert silence(heard(supervised=False), {}, LIMITS, 60.0).symptom == "lost"


def test_a_late_loop_is_slow_until_five_beats_in_time():
    instances = Instances(3.0)
    instance = instances.hear(beat(loop_lag_s=1.5), 0.0)
    assert slowness(instance).symptom == "slow_loop"
    calm = []
    for second in range(1, 6):
        instances.hear(beat(seq=second + 1), float(second))
        calm += [is_calm_again(instance), is_calm_again(instance)]
    assert calm == [False] * 8 + [True, True]


def test_an_absent_engine_is_no_symptom_of_the_router():
    info = {"engine": {"engine": "offline", "state": "absent"}}
    instance = heard(info=info)
    assert silence(instance, ALIVE, LIMITS, 20.0) is None
    assert slowness(instance) is None
