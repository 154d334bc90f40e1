from services.ops.doubt import Doubt


def looked(doubt: Doubt, start: float, seconds: float, **seen) -> list[bool]:
    seen = {"late_s": 0.0, "own_silence_s": 0.5} | seen
    return [doubt.look(start + t / 4, **seen) for t in range(int(seconds * 4))]


def test_a_watcher_is_trusted_once_it_was_well_for_two_seconds():
    doubt = Doubt(2.5, 0.0)
    returned = looked(doubt, 0.0, 3.0)
    assert returned.count(True) == 1
    assert returned.index(True) == 8


def test_a_late_watcher_is_not_trusted_until_it_has_settled():
    doubt = Doubt(2.5, 0.0)
    looked(doubt, 0.0, 3.0)
    assert doubt.trusted(3.0)
    doubt.look(3.0, late_s=4.0, own_silence_s=0.5)
    assert not doubt.trusted(4.9)
    assert looked(doubt, 3.25, 3.0).count(True) == 1


def test_a_watcher_that_does_not_hear_itself_is_deaf():
    doubt = Doubt(2.5, 0.0)
    looked(doubt, 0.0, 10.0, own_silence_s=2.6)
    assert not doubt.trusted(10.0)
