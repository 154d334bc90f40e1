"""Small line charts over the last minute; only the series travel once a chart is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from markupsafe import Markup
from nicegui import ui

from services.dashboard.pages.shell import Page
from services.dashboard.plain import rounded
from services.dashboard.store import POINTS, SAMPLE_S, Point, Store

INK = "#8a918c"
GRID = "rgba(128,132,128,.16)"


@dataclass(frozen=True)
class Line:
    """One line: its name, its colour, how a point gives its value, and how that is written."""

    name: str
    colour: str
    value: Callable[[Point], float | None]
    text: Callable[[float | None], str]


def chart(
    page: Page, title: str, lines: Sequence[Line], *, area: bool = False, step: float = 1
) -> None:
    """Add a chart card that follows the store; gaps stay gaps."""
    store = page.house.store
    with ui.element("section").classes("card"):
        page.live(lambda: header(store, title, lines), "card-head")
        drawn = ui.echart(options(store, lines, area=area, step=step), renderer="svg").classes(
            "chart"
        )
        drawn.props(f'role=img aria-label="{title}, the last minute"')
    turn = count()
    before: list[Any] = []

    def draw() -> None:
        if next(turn) % 2:
            return
        moved = [{"data": one["data"]} for one in series(store, lines, area=area)]
        if moved != before:
            before[:] = moved
            drawn.run_chart_method("setOption", {"series": moved})

    page.parts.append(draw)


def header(store: Store, title: str, lines: Sequence[Line]) -> Markup:
    """Return the title and the present value of each line, so that colour is not alone."""
    last = store.points[-1] if store.points else None
    items = Markup("").join(
        Markup('<span><i class="key" style="background:{}"></i>{} <b>{}</b></span>').format(
            line.colour, line.name, line.text(line.value(last) if last else None)
        )
        for line in lines
    )
    return Markup('<h2>{}</h2><div class="legend">{}</div>').format(title, items)


def options(store: Store, lines: Sequence[Line], *, area: bool, step: float = 1) -> dict[str, Any]:
    """Return the whole chart for the first drawing; `step` is the least between two marks."""
    seconds = [f"{(index - POINTS + 1) * SAMPLE_S:.0f} s" for index in range(POINTS)]
    label = {"color": INK, "fontSize": 11, "fontFamily": "Plex Sans, sans-serif"}
    return {
        "animation": False,
        "grid": {"left": 34, "right": 8, "top": 8, "bottom": 20},
        "tooltip": {"trigger": "axis", "confine": True, "textStyle": {"fontSize": 12}},
        "xAxis": {
            "type": "category", "data": seconds, "boundaryGap": False,
            "axisLine": {"lineStyle": {"color": GRID}}, "axisTick": {"show": False},
            "axisLabel": {**label, "interval": 39, "showMaxLabel": False},
        },
        "yAxis": {
            "type": "value", "min": 0, "splitNumber": 3, "minInterval": step,
            "splitLine": {"lineStyle": {"color": GRID}}, "axisLabel": label,
        },
        "series": series(store, lines, area=area),
    }  # fmt: skip


def series(store: Store, lines: Sequence[Line], *, area: bool) -> list[dict[str, Any]]:
    """Return the lines over the last minute, padded with gaps at the left."""
    points = list(store.points)
    gaps = [None] * (POINTS - len(points))
    return [
        {
            "name": line.name, "type": "line", "showSymbol": False, "step": False,
            "lineStyle": {"width": 1.6, "color": line.colour}, "itemStyle": {"color": line.colour},
            "areaStyle": {"color": line.colour, "opacity": 0.12} if area else None,
            "data": [*gaps, *(rounded(line.value(point)) for point in points)],
        }
        for line in lines
    ]  # fmt: skip
