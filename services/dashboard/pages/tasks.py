"""All tasks that are known here, with filters, and the form for a new one."""

from __future__ import annotations

from urllib.parse import urlencode

from markupsafe import Markup
from nicegui import ui

from services.dashboard.door.build import House
from services.dashboard.pages import parts, words
from services.dashboard.pages.form import form
from services.dashboard.pages.shell import page
from services.dashboard.pages.tasklist import task_table
from services.dashboard.pages.visitor import may
from services.dashboard.store import Store
from shared.events import TaskState

SHOWN = 100


def build(house: House, state: str | None, query: str | None = None) -> None:
    """Build the page; the filters live in its address."""
    chosen = TaskState(state) if state in set(TaskState) else None
    with page(house, "Tasks", "/dashboard/tasks") as shown:
        if may(house, "submit"):
            with ui.element("section").classes("card"):
                form(house)
        with ui.element("div").classes("chips"):
            shown.live(lambda: filters(house.store, chosen))
            _search(query or "")
        shown.live(lambda: listing(house.store, chosen, query or ""))


def _search(query: str) -> None:
    def go() -> None:
        asked = {"q": field.value} if field.value else {}
        ui.navigate.to(f"/tasks?{urlencode(asked)}")

    field = ui.input("Search tasks", value=query).props("outlined dense clearable data-search")
    field.style("margin-left:auto;width:240px").on("keydown.enter", go).on("clear", go)


def filters(store: Store, chosen: TaskState | None) -> Markup:
    """Return one link a state with its count."""
    counts = store.crew.counts()
    links = [_chip("all", "/dashboard/tasks", len(store.crew.tasks), current=chosen is None)]
    links += [
        _chip(state, f"/dashboard/tasks?state={state}", counts[state], current=state == chosen)
        for state in TaskState
        if counts[state] or state == chosen
    ]
    return Markup('<nav class="chips" aria-label="Filter by state">{}</nav>').format(
        parts.join(links)
    )


def listing(store: Store, chosen: TaskState | None, query: str = "") -> Markup:
    """Return the newest tasks, or what would stand here."""
    views = store.crew.latest(SHOWN, chosen, query)
    if not views:
        title = f"No task is {chosen}" if chosen else "No task yet"
        title = f"No task with {words.cut(query, 60)}" if query else title
        teach = Markup("Fill in the form above, or hand one in from any shell: {}").format(
            parts.code('sovereign task submit "Compare the two offers" --file offers.md')
        )
        return parts.card("Tasks", parts.empty(title, teach), flush=True)
    total = store.crew.counts()[chosen] if chosen else len(store.crew.tasks)
    aside = Markup('<span class="muted num">{}</span>').format(
        f"the newest {len(views)} of {words.count(total)}" if total > len(views) else ""
    )
    return parts.card("Tasks", task_table(store, views), aside, flush=True)


def _chip(name: str, url: str, number: int, *, current: bool) -> Markup:
    mark = Markup('aria-current="true"') if current else ""
    return Markup('<a class="chip" href="{}" {}>{} <b>{}</b></a>').format(
        url, mark, name, words.count(number)
    )
