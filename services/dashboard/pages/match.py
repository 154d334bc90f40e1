"""Clients, providers, deals, and what the commission earned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from markupsafe import Markup
from nicegui import ui

from services.dashboard.door.build import House
from services.dashboard.pages import matching, parts, words
from services.dashboard.pages.asked import Asked
from services.dashboard.pages.shell import page
from services.dashboard.pages.visitor import may
from shared import events as e
from shared.subjects import TOKEN_PATTERN

TEACH = "<code>sovereign match add file pool.json</code>"


SHOWN = 50
"""Of needs, of providers, and of deals on one page."""


async def build(house: House, need: str | None = None, skip: int = 0) -> None:
    """Build the page; the need whose matches are shown and the page of deals live in its address.

    `skip` is how many of the latest deals are on the pages before.
    """
    skip = min(max(0, skip), 10**9)
    target = house.settings.match.monthly_target_minor
    acts = may(house, "submit")
    with page(house, "Match", "/dashboard/match") as shown:
        revenue = Asked(shown, "match.revenue", e.RevenueAsk(), e.Revenue)
        pool = Asked(shown, "match.list", e.MatchListAsk(limit=SHOWN, skip=skip), e.MatchList)
        await revenue.follow()
        await pool.follow()
        if need and re.match(TOKEN_PATTERN, need):
            await matching.build(shown, pool, need)
        shown.live(lambda: revenue.shown("Revenue", lambda known: earnings(known, target)))
        board = shown.live(lambda: pool.shown("Deals", lambda known: deals(known, skip, acts=acts)))
        if acts:
            board.acts({"move": matching.moving(house, pool)})
        with ui.element("div").classes("halves"):
            shown.live(lambda: pool.shown("Needs", needs))
            shown.live(lambda: pool.shown("Providers", providers))


def earnings(known: e.Revenue, target: int) -> Markup:
    """Return what was earned by month, against the target."""
    if not known.lines:
        teach = "When a deal is paid, its commission stands here, month by month."
        return parts.card("Revenue", parts.empty("Nothing earned yet", teach), flush=True)
    heads = ("Month", ">Paid by clients", ">Earned", "~>Refunded", "~>Owed to providers", "~Target")
    rows = [_earned(line, target) for line in known.lines]
    return parts.card("Revenue", parts.table(heads, rows), flush=True)


def _earned(line: e.RevenueLine, target: int) -> Markup:
    share = line.earned / target if target else None
    meter = Markup('<div style="min-width:120px">{}</div>').format(parts.meter(share))
    cells = (
        parts.cell(line.group, "name nowrap"),
        parts.cell(words.money(line.gross, line.currency), "right num nowrap"),
        parts.cell(words.money(line.earned, line.currency), "right num nowrap"),
        parts.cell(words.money(line.refunded, line.currency), "late right num nowrap"),
        parts.cell(words.money(line.payable, line.currency), "late right num nowrap"),
        parts.cell(Markup("{}<span class='muted'>{}</span>").format(meter, words.percent(share)),
                   "late"),
    )  # fmt: skip
    return parts.row(cells)


def deals(known: e.MatchList, skip: int = 0, *, acts: bool = False) -> Markup:
    """Return a page of the deals as they stand, with the steps that a person may take."""
    if not known.deals and not skip:
        teach = "A deal begins when a need and a provider agree; it stands here until it is closed."
        return parts.card("Deals", parts.empty("No deal yet", teach), flush=True)
    heads = ("Need, provider", "State", ">Amount", "~>Paid", "~>Commission", "~Deal", "")
    rows = [_deal(deal, known.names, acts=acts) for deal in known.deals]
    return parts.card("Deals", parts.table(heads, rows), _pages(known, skip), flush=True)


def _pages(known: e.MatchList, skip: int) -> Markup:
    """Return which of the deals are shown, with the ways to newer and older ones."""
    last = skip + len(known.deals)
    ways = []
    if skip:
        ways.append(_way(max(0, skip - SHOWN), "newer"))
    if last < known.deals_in_all:
        ways.append(_way(last, "older"))
    if not ways:
        return Markup("")
    told = f"{words.count(skip + 1)} to {words.count(last)} of {words.count(known.deals_in_all)}"
    return parts.join((Markup('<span class="muted num">{}</span> ').format(told), *ways))


def _way(skip: int, word: str) -> Markup:
    return Markup('<a class="link" href="/dashboard/match?skip={}">{}</a> ').format(skip, word)


def _of(shown: int, in_all: int) -> Markup:
    """Return how much there is beside what is shown; nothing when that is all."""
    if shown >= in_all:
        return Markup("")
    told = f"the latest {words.count(shown)} of {words.count(in_all)}"
    return Markup('<span class="muted num">{}</span>').format(told)


def _deal(deal: e.Deal, names: Mapping[str, str], *, acts: bool) -> Markup:
    cells = (
        parts.cell(_named(deal.need_id, names, "name") + _named(deal.provider_id, names, "soft")),
        parts.cell(parts.word(deal.state)),
        parts.cell(_money(deal.amount), "right num nowrap"),
        parts.cell(_paid(deal), "late right num nowrap"),
        parts.cell(f"{deal.rate * Decimal(100):.0f} %", "late right num"),
        parts.cell(deal.deal_id, "late soft nowrap"),
        parts.cell(matching.buttons(deal) if acts else "", "right nowrap steps"),
    )
    return parts.row(cells, f"deal-{deal.deal_id}")


def _named(identity: str, names: Mapping[str, str], kind: str) -> Markup:
    """Return the name on its line, with the id as its tooltip; the id where no name is known."""
    name = words.cut(names.get(identity, identity), 60)
    return Markup('<span class="short {}" title="{}">{}</span>').format(kind, identity, name)


def _paid(deal: e.Deal) -> Markup:
    if deal.refunded is None or not deal.refunded.minor:
        return Markup("{}").format(_money(deal.paid))
    return Markup('{}<span class="muted" style="display:block">{} back</span>').format(
        _money(deal.paid), _money(deal.refunded)
    )


def needs(known: e.MatchList) -> Markup:
    """Return what clients ask for."""
    if not known.needs:
        return parts.card("Needs", parts.empty("No need yet", _teach()), flush=True)
    rows = parts.join(
        _item(need.title, ", ".join(need.required), _money(need.budget), need.need_id)
        for need in known.needs
    )
    more = _of(len(known.needs), known.needs_in_all)
    return parts.card("Needs", Markup('<div class="rows">{}</div>').format(rows), more, flush=True)


def providers(known: e.MatchList) -> Markup:
    """Return who offers what."""
    if not known.profiles:
        return parts.card("Providers", parts.empty("No provider yet", _teach()), flush=True)
    rows = parts.join(
        _item(one.name, ", ".join(skill.name for skill in one.skills), _money(one.rate))
        for one in known.profiles
    )
    more = _of(len(known.profiles), known.profiles_in_all)
    body = Markup('<div class="rows">{}</div>').format(rows)
    return parts.card("Providers", body, more, flush=True)


def _item(title: str, about: str, amount: str, need: str = "") -> Markup:
    """Return one line; a need leads to its matches."""
    name = Markup('<b style="font-weight:550">{}</b>').format(words.cut(title, 120))
    if need:
        name = Markup('<a class="link" href="/dashboard/match?need={}">{}</a>').format(need, name)
    return Markup(
        '<div class="row-item"><span class="grow">{}'
        '<span class="muted" style="display:block">{}</span></span>'
        '<span class="num nowrap">{}</span></div>'
    ).format(name, words.cut(about, 160), amount)


def _money(amount: e.Money | None) -> str:
    return words.DASH if amount is None else words.money(amount.minor, amount.currency)


def _teach() -> Markup:
    return Markup("Add one from any shell: {}").format(Markup(TEACH))  # noqa: S704 - a constant
