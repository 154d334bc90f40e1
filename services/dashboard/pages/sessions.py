"""Sessions: what was noted, and found again by its words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup
from nicegui import ui

from services.dashboard.door.build import House
from services.dashboard.pages import parts, session, words
from services.dashboard.pages.asked import Asked
from services.dashboard.pages.shell import page
from shared import events as e
from shared.clock import now
from shared.subjects import TOKEN_PATTERN

TEACH = Markup(
    "Every finished task leaves its trace in a session. Or note something yourself: "
    '<code>sovereign session append notes "We ship on Friday"</code>'
)


@dataclass(frozen=True)
class Address:
    """What the page's address asks for: a session, a search, an earlier handoff to compare."""

    session: str | None = None
    query: str | None = None
    against: int | None = None


async def build(house: House, address: Address) -> None:
    """Build the page; the session, the search and the comparison live in its address."""
    space = house.settings.sessions.namespace
    with page(house, "Sessions", "/dashboard/sessions") as shown:
        _search(address.query or "")
        if address.query:
            ask = e.SearchAsk(namespace=space, query=address.query[:2000], limit=20)
            found = Asked(shown, "session.search", ask, e.SearchReply)
            await found.follow()
            shown.live(lambda: found.shown("Found", hits))
        if address.session and re.match(TOKEN_PATTERN, address.session):
            await session.build(shown, space, address.session, address.against)
        listed = Asked(shown, "session.list", e.SessionListAsk(namespace=space), e.SessionList)
        await listed.follow()
        shown.live(lambda: listed.shown("Sessions", sessions))


def _search(query: str) -> None:
    def go() -> None:
        asked = {"q": field.value} if field.value else {}
        ui.navigate.to(f"/sessions?{urlencode(asked)}")

    field = ui.input("Search all sessions", value=query).props("outlined dense clearable")
    field.style("max-width:520px").props("data-search").on("keydown.enter", go)


def sessions(known: e.SessionList) -> Markup:
    """Return the sessions, the latest first."""
    if not known.sessions:
        return parts.card("Sessions", parts.empty("No session yet", TEACH), flush=True)
    heads = ("Session", "Title", "State", ">Events", ">Open", "~>Last")
    rows = [_row(one) for one in known.sessions]
    return parts.card("Sessions", parts.table(heads, rows), flush=True)


def _row(one: e.SessionInfo) -> Markup:
    link = Markup('<a class="link" href="/dashboard/sessions?id={}">{}</a>').format(
        one.session_id, words.cut(one.session_id, 40)
    )
    cells = (
        parts.cell(link, "name nowrap"),
        parts.cell(parts.line(one.title or words.DASH), "wide"),
        parts.cell(one.status, "soft"),
        parts.cell(words.count(one.events), "right num"),
        parts.cell(words.count(one.open_items), "right num"),
        parts.cell(words.ago(words.since(one.last_at, now())), "late right num nowrap muted"),
    )
    return parts.row(cells, f"session-{one.session_id}", "hit")


def hits(found: e.SearchReply) -> Markup:
    """Return what was recalled, the best first."""
    if not found.hits:
        return parts.card("Found", parts.empty("Nothing", "No event has these words."), flush=True)
    rows = parts.join(
        Markup(
            '<a class="row-item" href="/dashboard/sessions?id={}"><span class="grow">'
            '<b style="font-weight:550">{}</b><span class="muted" style="display:block">{}</span>'
            '</span><span class="soft nowrap late">{}</span></a>'
        ).format(one.session_id, words.cut(one.title, 160), _more(one), one.kind)
        for one in found.hits
    )
    return parts.card("Found", Markup('<div class="rows">{}</div>').format(rows), flush=True)


def _more(one: e.SearchHit) -> str:
    """Return the text of a hit where it says more than the title."""
    return "" if one.text.strip() == one.title.strip() else words.cut(one.text, 240)
