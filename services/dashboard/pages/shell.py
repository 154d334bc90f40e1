"""The frame of every page: navigation, title, status pill, engine, one timer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from markupsafe import Markup
from nicegui import ui

from services.dashboard import brand, theme
from services.dashboard.access.gate import Who
from services.dashboard.door.build import House
from services.dashboard.pages import icons, parts, words
from services.dashboard.pages.live import Live
from services.dashboard.pages.visitor import visitor
from services.dashboard.store import SAMPLE_S, Store

ROUTES = (
    ("/dashboard", "Overview", icons.OVERVIEW),
    ("/dashboard/tasks", "Tasks", icons.TASKS),
    ("/dashboard/agents", "Agents", icons.AGENTS),
    ("/dashboard/router", "Router", icons.ROUTER),
    ("/dashboard/ops", "Ops", icons.OPS),
    ("/dashboard/sessions", "Sessions", icons.SESSIONS),
    ("/dashboard/match", "Match", icons.MATCH),
    ("/dashboard/bus", "Bus", icons.BUS),
)
LOGIN = "/login"


@dataclass
class Page:
    """What a page shows; everything in `parts` is refreshed by its one timer."""

    house: House
    parts: list[Callable[[], None]] = field(default_factory=list)

    def live(self, render: Callable[[], Markup], kind: str = "") -> Live:
        """Add a piece of HTML that follows the store."""
        element = Live(render)
        if kind:
            element.classes(kind)
        self.parts.append(element.refresh)
        return element

    def shared(self, name: str, render: Callable[[], Markup], kind: str = "") -> Live:
        """Add a piece that looks the same in every tab: drawn once a moment for all of them."""
        return self.live(lambda: _drawn(self.house.store, name, render), kind)

    def refresh(self) -> None:
        """Refresh every part once."""
        for refresh in self.parts:
            refresh()


_DRAWN: WeakKeyDictionary[Store, dict[str, tuple[float, Markup]]] = WeakKeyDictionary()
FRESH_S = 0.3
"""How long a drawn piece serves other tabs: less than the time between two ticks."""


def _drawn(store: Store, name: str, render: Callable[[], Markup]) -> Markup:
    """Return what was drawn a moment ago, else draw."""
    drawn = _DRAWN.setdefault(store, {})
    at = time.monotonic()
    before = drawn.get(name)
    if before is None or at - before[0] > FRESH_S:
        drawn[name] = before = (at, render())
    return before[1]


@contextmanager
def page(house: House, title: str, current: str) -> Iterator[Page]:
    """Build the frame; what is built inside stands below the title."""
    ui.add_head_html(str(theme.head() + brand.style(house.settings.dashboard)))
    who = visitor(house)
    ui.page_title(f"{title} · {house.settings.dashboard.name}")
    shown = Page(house)
    with ui.element("div").classes("shell"):
        Live(lambda: side(house, current, who), tag="aside").classes("side")
        with ui.element("div").classes("main"):
            shown.live(lambda: head(house.store, title), "head")
            with ui.element("div").classes("stack"):
                yield shown

    def tick() -> None:
        if visitor(house) is None:
            ui.run_javascript(f"location.href = '{LOGIN}?next=' + encodeURIComponent("
                              "location.pathname + location.search)")  # fmt: skip
            timer.deactivate()
            return
        shown.refresh()

    timer = ui.timer(SAMPLE_S, tick)


def side(house: House, current: str, who: Who | None = None) -> Markup:
    """Return the navigation, and who is logged in."""
    settings = house.settings.dashboard
    links = parts.join(
        Markup('<a href="{}" {}>{}{}</a>').format(
            url, Markup('aria-current="page"') if url == current else "", icon, name
        )
        for url, name, icon in ROUTES
        if url == "/dashboard" or url.rpartition("/")[2] in settings.pages
    )
    return Markup(
        '<a class="brand" href="/dashboard">{}<span>{}</span></a><nav class="nav"'
        ' aria-label="Pages">{}</nav><div class="foot"><span class="who">{}</span>{}'
        '<button class="flip" data-flip type="button" aria-label="Light / dark">'
        "{}<span>Light / dark</span></button></div>"
    ).format(
        brand.mark(settings), settings.name, links, house.settings.host, _person(who), icons.THEME
    )


def _person(who: Who | None) -> Markup:
    """Return who is logged in, with the way out; nothing while nobody has to log in."""
    if who is None or who.kind != "person":
        return Markup("")
    return Markup(
        '<form method="post" action="/logout"><span class="who">{} may {}</span>'
        '<button class="flip" type="submit">Log out</button></form>'
    ).format(words.cut(who.name, 30), who.role)


def head(store: Store, title: str) -> Markup:
    """Return the title with the mood of the bus and what answers model requests."""
    return Markup('<h1>{}</h1><span class="grow"></span>{}{}').format(
        title, engine_pill(store), mood_pill(store)
    )


def mood_pill(store: Store) -> Markup:
    """Return whether the picture is fresh: live, silent for N seconds, or bus lost."""
    silent = words.duration(store.silent_s())
    mood = store.mood()
    text = {
        "live": "live",
        "silent": f"silent for {silent}" if store.heard_at is not None else "nothing heard yet",
        "lost": f"bus lost, last heard {words.ago(store.silent_s())}",
        "connecting": "connecting",
    }[mood]
    return parts.pill(text, parts.tone(mood) + (" beat" if mood == "live" else ""))


def engine_pill(store: Store) -> Markup:
    """Return the engine, honestly: the offline rules are no language model."""
    engine = store.engine()
    if engine is None:
        return parts.pill("engine unknown: no router heard", "hollow")
    if not engine.is_llm:
        return parts.pill("offline rules, no language model", "warn hollow")
    kind = "good" if engine.state == "ready" else "warn"
    return parts.pill(f"{engine.engine} · {words.cut(engine.model, 40)} · {engine.state}", kind)
