"""The first page: figures, the last minute, who is alive, what is being done, what happened."""

from __future__ import annotations

from markupsafe import Markup
from nicegui import ui

from services.dashboard.door.build import House
from services.dashboard.pages import parts, words
from services.dashboard.pages.charts import Line, chart
from services.dashboard.pages.happenings import happenings
from services.dashboard.pages.services import services_table
from services.dashboard.pages.shell import Page, page
from services.dashboard.pages.tasklist import task_rows
from services.dashboard.pages.tiles import tiles
from services.dashboard.store import Store
from services.dashboard.theme import SERIES


def build(house: House) -> None:
    """Build the page."""
    store = house.store
    with page(house, "Overview", "/dashboard") as shown:
        shown.live(lambda: problem(store))
        shown.shared("tiles", lambda: tiles(store))
        with ui.element("div").classes("three"):
            _charts(shown)
        shown.shared("services", lambda: services_table(store))
        with ui.element("div").classes("halves"):
            shown.shared("latest", lambda: latest_tasks(store))
            shown.shared("happenings", lambda: happenings(store, 8))


def _charts(shown: Page) -> None:
    chart(shown, "Tasks", TASKS, area=True)
    chart(shown, "Messages per second", MESSAGES, area=True)
    chart(shown, "Answer time, s", LATENCY, step=0.001)


def problem(store: Store) -> Markup:
    """Return one line when the picture cannot be trusted; nothing when all is well."""
    if store.mood() == "lost":
        return parts.note(
            "The bus does not answer. What you see is the last picture; it goes on by itself.",
            "bad",
        )
    if store.mood() == "connecting" and not store.bus_up:
        return parts.note(
            "Waiting for the bus. Start it with `sovereign up`, or look at SOVEREIGN_NATS__URL;"
            " this page goes on by itself."
        )
    return Markup("")


def latest_tasks(store: Store) -> Markup:
    """Return the newest tasks, or how to make the first one."""
    link = Markup('<a class="link" href="/dashboard/tasks">all tasks, new task</a>')
    rows = task_rows(store, store.crew.latest(8))
    return parts.card("Latest tasks", rows, link, flush=True)


def _whole(value: float | None) -> str:
    return words.DASH if value is None else f"{value:.0f}"


def _rate(value: float | None) -> str:
    return words.DASH if value is None else f"{value:.1f}"


TASKS = (
    Line("running", SERIES["third"], lambda point: point.running, _whole),
    Line("waiting or queued", SERIES["second"], lambda point: point.waiting, _whole),
)
MESSAGES = (Line("heard", SERIES["first"], lambda point: point.messages, _rate),)
LATENCY = (
    Line("p50", SERIES["first"], lambda point: point.p50_s, words.duration),
    Line("p95", SERIES["second"], lambda point: point.p95_s, words.duration),
)
