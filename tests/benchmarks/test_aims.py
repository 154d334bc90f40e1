import pytest

from benchmarks.aims import Aim, rows


@pytest.mark.parametrize(
    ("measured", "least", "verdict"),
    [(1.0, False, "met"), (1.01, False, "MISSED"), (1.0, True, "met"), (0.99, True, "MISSED")],
)
def test_an_aim_is_met_up_to_its_limit(measured, least, verdict):
    assert Aim("p50", measured, 1.0, "ms", least).verdict == verdict


def test_what_was_not_measured_is_never_met():
    assert Aim("ratio", None, 30, "times", least=True).verdict == "not measured"


def test_a_row_tells_the_aim_with_its_unit():
    assert rows([Aim("growth", 0.5, 2, "%"), Aim("calls", 1, 1, least=True)]) == [
        {"what": "growth", "measured": 0.5, "spread": "", "aim": "<= 2 %", "verdict": "met"},
        {"what": "calls", "measured": 1, "spread": "", "aim": ">= 1", "verdict": "met"},
    ]
