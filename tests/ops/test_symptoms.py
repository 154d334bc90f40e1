import pytest

from services.ops.instances import Instances
from services.ops.symptoms import (
    PARTITION_S,
    dependency,
    host_silence,
    is_calm_again,
    memory,
    silence,
    slowness,
)
from shared.settings import OpsSettings
from tests.ops.beating import beat, supervisor

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


def test_a_process_that_told_its_supervisor_that_it_lives_is_cut_off():
    local = ALIVE | {"alive_s": 1.2}
    assert silence(heard(), local, LIMITS, 24.9).symptom == "partition"
    assert silence(heard(), ALIVE | {"alive_s": 4.0}, LIMITS, 24.9).symptom == "hang"
    assert silence(heard(), local, LIMITS, 19.0 + PARTITION_S).symptom == "hang"


def test_a_silent_supervisor_is_a_lost_host_only_when_nobody_there_is_heard():
    instances = Instances(LIMITS.pause_s)
    for second in range(20):
        keeper = instances.hear(supervisor().model_copy(update={"seq": second}), float(second))
        other = instances.hear(beat(seq=second), float(second))
    assert host_silence(keeper, [other], LIMITS, 20.0) is None
    assert host_silence(keeper, [other], LIMITS, 25.0).symptom == "host_lost"
    instances.hear(beat(seq=50), 24.0)
    found = host_silence(keeper, [other], LIMITS, 25.0)
    assert (found.symptom, found.evidence["heard"]) == ("supervisor_lost", ["match"])


def test_memory_about_to_reach_its_cap_is_a_symptom_with_its_slope():
    instances = Instances(LIMITS.pause_s)
    for second in range(30):
        rss = 200_000_000 + 5_000_000 * second
        instance = instances.hear(
            beat(seq=second, rss_bytes=rss, rss_cap_bytes=400_000_000), float(second)
        )
    finding = memory(instance)
    assert finding.symptom == "memory"
    assert finding.evidence["bytes_per_s"] == 5_000_000


def router(**engine):
    return beat("router", info={"engine": engine})


@pytest.mark.parametrize(
    ("setting", "had", "state", "symptom"),
    [
        ("ollama", False, "absent", "dependency_down"),
        ("auto", True, "absent", "dependency_down"),
        ("auto", False, "absent", None),
        ("offline", False, "offline", None),
        ("ollama", False, "ready", None),
    ],
)
def test_a_model_that_is_gone_is_a_symptom_where_one_is_wanted(setting, had, state, symptom):
    instances = Instances(LIMITS.pause_s)
    if had:
        instances.hear(router(setting=setting, state="ready", is_llm=True), 0.0)
    instance = instances.hear(
        router(setting=setting, state=state, is_llm=False).model_copy(update={"seq": 9}), 1.0
    )
    found = dependency(instance)
    assert (found.symptom if found else None) == symptom
