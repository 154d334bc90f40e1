"""The frame of the page, its forms and fields; every text from the bus is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from markupsafe import Markup

from services.dashboard import brand
from services.dashboard.client.seat import MARK, PATH
from services.dashboard.pages import words
from shared import currencies
from shared.events import Money
from shared.settings import DashboardSettings

STYLE = Path(__file__).parent / "static" / "match.css"

_PAGE = Markup("""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title} · {name}</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/match/match.css"></head><body>
<header class="top"><a class="brand" href="/match">{mark}<span>{name}</span></a>{way}</header>
<main>{notice}{body}</main></body></html>""")

_FIELD = Markup('<div class="field"><label for="{name}">{label}</label>{control}{help}</div>')


def page(settings: DashboardSettings, title: str, body: Markup, way: Markup, notice: Markup) -> str:
    """Return the whole document; nothing in it comes from another host."""
    return str(
        _PAGE.format(
            title=title,
            name=settings.name,
            mark=brand.mark(settings),
            way=way,
            notice=notice,
            body=body,
        )
    )


def join(pieces: Iterable[Markup]) -> Markup:
    """Return the pieces one after the other."""
    return Markup("").join(pieces)


def note(text: str, kind: str) -> Markup:
    """Return a line above the page; `bad` ones are read out at once."""
    role = "alert" if kind == "bad" else "status"
    return Markup('<p class="note {}" role="{}">{}</p>').format(kind, role, text) if text else (
        Markup("")
    )  # fmt: skip


def form(action: str, mark: str, inside: Markup, **hidden: str) -> Markup:
    """Return a form that posts to `/match/<action>` with the holder's mark."""
    secret = join(
        Markup('<input type="hidden" name="{}" value="{}">').format(name, value)
        for name, value in {MARK: mark, **hidden}.items()
    )
    return Markup('<form method="post" action="{}/{}">{}{}</form>').format(
        PATH, action, secret, inside
    )


def text(name: str, label: str, value: str = "", note: str = "", **more: str) -> Markup:
    """Return a line to write on; `more` are attributes."""
    control = Markup('<input id="{0}" name="{0}" value="{1}"{2}>').format(
        name, value, _attributes(more)
    )
    return _field(name, label, control, note)


def area(name: str, label: str, value: str = "", note: str = "", rows: int = 4) -> Markup:
    """Return a box to write in."""
    control = Markup('<textarea id="{0}" name="{0}" rows="{1}" maxlength="50000">{2}</textarea>')
    return _field(name, label, control.format(name, rows, Markup("\n") + value), note)


def choice(name: str, label: str, options: dict[str, str], value: str) -> Markup:
    """Return a list to choose from."""
    rows = join(
        Markup('<option value="{}"{}>{}</option>').format(
            key, Markup(" selected") if key == value else "", shown
        )
        for key, shown in options.items()
    )
    control = Markup('<select id="{0}" name="{0}">{1}</select>').format(name, rows)
    return _field(name, label, control, "")


def tick(name: str, label: str, on: bool) -> Markup:
    """Return a box to tick."""
    return Markup(
        '<label class="tick"><input type="checkbox" name="{}"{}> <span>{}</span></label>'
    ).format(name, Markup(" checked") if on else "", label)


def button(label: str, kind: str = "", **more: str) -> Markup:
    """Return the button that sends a form."""
    return Markup('<button class="btn {}"{}>{}</button>').format(kind, _attributes(more), label)


def card(head: Markup, *inside: Markup) -> Markup:
    """Return a card."""
    return Markup('<section class="card">{}{}</section>').format(head, join(inside))


def chips(names: Iterable[str]) -> Markup:
    """Return words in a row."""
    row = join(Markup('<span class="chip">{}</span>').format(words.cut(one, 60)) for one in names)
    return Markup('<p class="chips">{}</p>').format(row) if row else Markup("")


def prose(text: str) -> Markup:
    """Return a text with its lines."""
    return Markup('<p class="prose">{}</p>').format(words.clean(text)) if text else Markup("")


def money(amount: Money | None) -> str:
    """Return an amount for people, a dash for none."""
    return words.DASH if amount is None else currencies.shown(amount.minor, amount.currency)


def plain(amount: Money | None) -> str:
    """Return an amount as it may be written into a field again."""
    return "" if amount is None else money(amount).replace(",", "")


def _field(name: str, label: str, control: Markup, help_text: str) -> Markup:
    more = Markup('<small id="{}-help">{}</small>').format(name, help_text) if help_text else ""
    return _FIELD.format(name=name, label=label, control=control, help=more)


def _attributes(more: dict[str, str]) -> Markup:
    return join(
        Markup(' {}="{}"').format(name.replace("_", "-"), value) for name, value in more.items()
    )
