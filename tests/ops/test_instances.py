from services.ops.instances import MOST, Instances, status_of
from tests.ops.beating import beat, supervisor


def test_a_new_boot_is_a_new_instance_and_wakes_who_waits():
    instances = Instances(3.0)
    old = instances.hear(beat(), 0.0)
    new = instances.hear(beat(boot="b2"), 1.0)
    assert new is not old
    assert old.gone
    assert old.changed.is_set()
    assert len(instances) == 1


def test_ten_thousand_forged_instances_are_counted_not_kept():
    instances = Instances(3.0)
    for number in range(10_000):
        instances.hear(beat("router", instance=f"router-{number}"), 0.0)
    assert len(instances) == MOST
    assert instances.refused == 10_000 - MOST


def test_a_known_instance_is_still_heard_when_there_is_no_room():
    instances = Instances(3.0)
    for number in range(MOST + 1):
        instances.hear(beat("router", instance=f"router-{number}"), 0.0)
    assert instances.hear(beat("router", instance="router-0", seq=2), 1.0).heard_at == 1.0


def test_an_unknown_service_is_refused():
    instances = Instances(3.0)
    assert instances.hear(beat("intruder"), 0.0) is None
    assert instances.refused == 1


def test_who_said_goodbye_is_forgotten_after_a_minute():
    instances = Instances(3.0)
    instances.hear(beat(state="goodbye"), 0.0)
    instances.hear(beat("router"), 0.0)
    instances.hear(supervisor(), 40.0)
    assert instances.forget_gone(30.0) == []
    assert [gone.beat.service for gone in instances.forget_gone(61.0)] == ["match"]


def test_a_host_that_is_forgotten_takes_its_services_along():
    instances = Instances(3.0)
    instances.hear(beat("router"), 0.0)
    instances.hear(supervisor(), 0.0)
    instances.forget_gone(61.0)
    assert [i.beat.service for i in instances.forget_gone(61.25)] == ["router"]


def test_an_old_beat_that_is_told_again_proves_nothing():
    instances = Instances(3.0)
    instance = instances.hear(beat(seq=5), 0.0)
    instances.hear(beat(seq=5), 4.0)
    instances.hear(beat(seq=3), 5.0)
    assert (instance.heard_at, instance.detector.silence(6.0)) == (0.0, 6.0)


def test_the_same_instance_name_on_two_hosts_is_two_instances():
    instances = Instances(3.0)
    instances.hear(beat(), 0.0)
    instances.hear(beat(host="there"), 0.0)
    assert len(instances) == 2


def test_the_supervisor_knows_better_than_a_beat_of_a_process_that_is_gone():
    instances = Instances(3.0)
    instances.hear(supervisor(match={"state": "quarantined", "pid": None, "restarts": 5}), 0.0)
    instance = instances.hear(beat(), 0.0)
    status = status_of(instance, instances.children("here")["match"], 2.0)
    assert (status.state, status.restarts, status.silent_s) == ("quarantined", 5, 2.0)


def test_nonsense_in_a_supervisors_beat_is_no_children():
    instances = Instances(3.0)
    instances.hear(beat("supervisor", info={"children": "all of them"}), 0.0)
    assert instances.children("here") == {}
    assert instances.children("nowhere") == {}


def test_a_beat_out_of_turn_does_not_disturb_the_rhythm():
    instances = Instances(3.0)
    calm = instances.hear(beat("router"), 0.0)
    hasty = instances.hear(beat("match", state="starting"), 0.0)
    for second in range(1, 4):
        instances.hear(beat("router", seq=second), float(second))
        instances.hear(beat("match", seq=second, state="starting"), float(second))
    instances.hear(beat("match", seq=9), 3.05)
    assert abs(hasty.detector.phi(7.65) - calm.detector.phi(7.6)) < 1.0


def test_one_that_hung_before_it_was_ever_heard_is_missed_all_the_same():
    instances = Instances(3.0)
    children = {"match": {"state": "ready", "pid": 7}, "router": {"state": "starting", "pid": 8}}
    instances.hear(supervisor(**children, intruder={"state": "ready", "pid": 9}), 0.0)
    instances.expect("here", 0.0)
    silent = instances.get(("here", "match", "match-1"))
    assert len(instances) == 2
    assert silent.detector.phi(9.0) > 8
    assert instances.hear(beat(), 9.5) is not silent
    assert silent.gone
