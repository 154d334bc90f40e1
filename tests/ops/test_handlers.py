import pytest

from services.ops.handlers import honest_beat
from tests.ops.beating import beat


def test_a_beat_on_its_own_subject_is_taken():
    sent = beat()
    assert honest_beat("health.beat.match.match-1", sent.model_dump_json().encode()) == sent


@pytest.mark.parametrize(
    ("subject", "data"),
    [
        ("health.beat.router.router-1", beat().model_dump_json().encode()),
        ("health.beat.match.match-1", b"\xff{"),
        ("health.beat.match.match-1", b"[]"),
        ("health.beat.match.match-1", b""),
    ],
)
def test_a_forged_or_broken_beat_is_not(subject, data):
    assert honest_beat(subject, data) is None
