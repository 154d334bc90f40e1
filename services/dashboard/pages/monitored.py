"""What the router's monitor tells: what is not as usual, and where the figures lead."""

from __future__ import annotations

from markupsafe import Markup

from services.dashboard.pages import parts, words
from shared.clock import now
from shared.events import Anomaly, Forecast, MonitorReport, Trend

SHOWN = 8
METRICS = {"seconds_per_token": "seconds per token", "errors": "errors"}
NAMES = {"cost_usd": "cost, USD", "seconds_per_call": "seconds per call"}


def anomalies(known: MonitorReport) -> Markup:
    """Return the episodes in which a model was not what it usually is, the latest first."""
    if not known.anomalies:
        teach = "When a model is slower than usual, or fails more, the episode stands here."
        return parts.card("Out of the ordinary", parts.empty("Nothing", teach), flush=True)
    latest = sorted(known.anomalies, key=lambda one: one.since, reverse=True)[:SHOWN]
    heads = ("Model", "~Host", "What", ">At its worst", ">Usually", ">When")
    rows = [_anomaly(one) for one in latest]
    return parts.card("Out of the ordinary", parts.table(heads, rows), flush=True)


def _anomaly(one: Anomaly) -> Markup:
    ago = words.ago(words.since(one.since, now()))
    going = Markup(" {}").format(parts.pill("goes on", "warn")) if one.until is None else ""
    cells = (
        parts.cell(words.cut(one.model, 40), "name"),
        parts.cell(words.cut(one.host, 30), "late soft"),
        parts.cell(Markup("{}{}").format(METRICS[one.metric], going)),
        parts.cell(_value(one, one.value), "right num nowrap"),
        parts.cell(_value(one, one.usual), "right num nowrap"),
        parts.cell(ago, "right num nowrap muted"),
    )
    key = f"anomaly-{one.model}-{one.host}-{one.metric}-{one.since.timestamp():.0f}"
    return parts.row(cells, key, "hit")


def _value(one: Anomaly, value: float) -> str:
    return words.percent(value) if one.metric == "errors" else f"{value:.3g} s"


def trends(known: MonitorReport) -> Markup:
    """Return the change a day of each figure, and the month as it should end."""
    slopes: dict[str, Trend] = {one.what: one for one in known.trends}
    months: dict[str, Forecast] = {one.what: one for one in known.forecast}
    rows = [
        _trend(what, slopes.get(what), months.get(what))
        for what in dict.fromkeys([*slopes, *months])
    ]
    if not rows:
        teach = "After some days: the change a day, and the month as it should end."
        return parts.card("Where it leads", parts.empty("Not known yet", teach), flush=True)
    heads = ("Figure", ">A day", ">Change a day", ">This month", "~>Should end at")
    return parts.card("Where it leads", parts.table(heads, rows), flush=True)


def _trend(what: str, slope: Trend | None, month: Forecast | None) -> Markup:
    cells = (
        parts.cell(NAMES.get(what, what), "name nowrap"),
        parts.cell(_number(slope.mean if slope else None), "right num"),
        parts.cell(_number(slope.per_day if slope else None, sign=True), "right num"),
        parts.cell(_number(month.so_far if month else None), "right num"),
        parts.cell(_end(month), "late right num nowrap"),
    )
    return parts.row(cells, f"trend-{what}", "hit")


def _end(month: Forecast | None) -> str:
    """Return the expected end of the month with its range; unknown stays unknown."""
    if month is None or month.expected is None:
        return words.DASH
    if month.low is None or month.high is None:
        return _number(month.expected)
    return f"{_number(month.expected)} ({_number(month.low)} to {_number(month.high)})"


def _number(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return words.DASH
    return f"{value:+,.4g}" if sign else f"{value:,.4g}"
