from datetime import UTC, datetime

from services.dashboard.pages.monitored import anomalies, trends
from shared import events as e

SLOW = e.Anomaly(model="<b>llama", host="attic", metric="seconds_per_token", value=0.5, usual=0.1,
                 since=datetime(2026, 1, 2, tzinfo=UTC))  # fmt: skip
OVER = SLOW.model_copy(update={"metric": "errors", "until": SLOW.since})


def test_an_episode_that_goes_on_is_told_with_what_is_usual():
    shown = anomalies(e.MonitorReport(hours=24, anomalies=(SLOW,)))
    for part in ("seconds per token", "goes on", "0.5 s", "0.1 s", "attic"):
        assert part in shown
    assert "<b>llama" not in shown


def test_an_episode_that_is_over_is_a_share_without_a_mark():
    shown = anomalies(e.MonitorReport(hours=24, anomalies=(OVER,)))
    assert "50 %" in shown
    assert "goes on" not in shown


def test_nothing_odd_and_nothing_known_are_said_in_words():
    empty = e.MonitorReport(hours=24)
    assert "Nothing" in anomalies(empty)
    assert "Not known yet" in trends(empty)


def test_a_trend_stands_beside_the_month_as_it_should_end():
    slope = e.Trend(what="calls", days=7, mean=40, per_day=-2.5)
    month = e.Forecast(what="calls", month="2026-01", so_far=900, expected=1200, low=1100,
                       high=1300)  # fmt: skip
    shown = trends(e.MonitorReport(hours=24, trends=(slope,), forecast=(month,)))
    assert "-2.5" in shown
    assert "1,200 (1,100 to 1,300)" in shown


def test_what_is_not_known_of_a_trend_stays_unknown():
    shown = trends(e.MonitorReport(hours=24, trends=(e.Trend(what="cost_usd", days=1),)))
    assert shown.count("–") == 4
