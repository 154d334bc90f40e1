import pytest

from services.ops.watch import MUTE_S, SILENCE_S, is_hung, is_mute


class Ops:
    """What the watch looks at."""

    def __init__(self, state: str = "ready", heard_at: float = 100.0) -> None:
        self.state, self.heard_at, self.pid = state, heard_at, 7
        self.started_at = 100.0


def test_an_ops_that_is_silent_for_ten_seconds_is_hung():
    assert not is_hung(Ops(), 100.0 + SILENCE_S, 0.0)
    assert is_hung(Ops(), 100.1 + SILENCE_S, 0.0)


def test_nobody_is_judged_by_a_watcher_that_was_late_or_deaf_itself():
    assert not is_hung(Ops(), 120.0, 115.0)


@pytest.mark.parametrize("state", ["starting", "draining", "quarantined", "stopped"])
def test_only_a_ready_ops_can_hang(state):
    assert not is_hung(Ops(state), 200.0, 0.0)


def test_a_service_that_never_said_a_word_is_mute_after_a_minute():
    assert not is_mute(Ops("starting"), 100.0 + MUTE_S, 0.0)
    assert is_mute(Ops("starting"), 100.1 + MUTE_S, 0.0)
    assert not is_mute(Ops("starting", heard_at=101.0), 300.0, 0.0)
    assert not is_mute(Ops("starting"), 300.0, 290.0)
