"""Pieces of HTML. Every value is escaped by `markupsafe`; bus text never becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import Markup, escape

from services.dashboard.pages import words
from services.dashboard.vitals import BARS
from shared.events import TaskState

TONES = {
    "ready": "good", "done": "good", "live": "good", "recovered": "good",
    "running": "info", "planning": "info", "starting": "info", "draining": "info",
    "lagging": "warn", "waiting": "warn", "silent": "bad", "failed": "bad", "lost": "bad",
    "rejected": "bad", "missing": "bad", "symptom": "warn", "quarantined": "bad", "exited": "bad",
    "restarted": "warn", "decision": "info", "outcome": "good", "connecting": "warn",
}  # fmt: skip
_CODE = re.compile(r"`([^`\n]+)`")
HOLLOW = frozenset({"queued", "stopped", "cancelled", "missing"})


def tone(word: str) -> str:
    """Return the colour class of a state word; empty for a neutral one."""
    return TONES.get(word, "")


def join(parts: Iterable[Markup | str]) -> Markup:
    """Return the parts after one another."""
    return Markup("").join(parts)


def word(state: str, more: str = "") -> Markup:
    """Return a state as a word with its dot; `more` is left out on phones."""
    hollow = " hollow" if state in HOLLOW else ""
    rest = Markup('<span class="late">{}</span>').format(more) if more else ""
    return Markup('<span class="word {}{}"><i></i>{}{}</span>').format(
        tone(state), hollow, state, rest
    )


def stale(old: bool) -> str:
    """Return the class of what is no longer fresh."""
    return "stale" if old else ""


def pill(text: str, kind: str = "") -> Markup:
    """Return a rounded label with a dot."""
    return Markup('<span class="pill {}"><i></i>{}</span>').format(kind, text)


def line(text: str, limit: int = 140) -> Markup:
    """Return one line, cut by the width of its place; the tooltip carries more of it."""
    tip, shown = words.cut(text, 600), said(words.cut(text, limit))
    return Markup('<span class="cut" title="{}">{}</span>').format(tip, shown)


def tile(label: str, value: str, sub: str, kind: str = "", unit: str = "") -> Markup:
    """Return one figure with its label and what it means."""
    small = Markup("<small>{}</small>").format(unit) if unit else ""
    return Markup(
        '<div class="tile {}"><span class="label">{}</span>'
        '<span class="value">{}{}</span><span class="sub">{}</span></div>'
    ).format(kind, label, value, small, sub)


def bars(states: Iterable[str]) -> Markup:
    """Return heartbeat bars, the newest at the right; what was not heard is a stub."""
    heard = list(states)[-BARS:]
    padded = ["none"] * (BARS - len(heard)) + heard
    label = f"last {BARS // 2} seconds, now {heard[-1] if heard else 'unknown'}"
    marks = join(Markup('<i class="{}"></i>').format(state) for state in padded)
    return Markup('<span class="bars" role="img" aria-label="{}">{}</span>').format(label, marks)


def segments(states: Iterable[TaskState]) -> Markup:
    """Return one small bar a step, coloured by its state."""
    each = list(states)
    done = sum(1 for state in each if state == TaskState.DONE)
    marks = join(Markup('<i class="{}"></i>').format(tone(state.value)) for state in each)
    label = f"{done} of {len(each)} steps done"
    return Markup(
        '<span class="segments" role="img" title="{0}" aria-label="{0}">{1}</span>'
    ).format(label, marks)


def slots(busy: int, total: int) -> Markup:
    """Return one square a slot, filled while it works."""
    marks = join(
        Markup('<i class="{}"></i>').format("busy" if index < busy else "")
        for index in range(min(total, 24))
    )
    label = f"{busy} of {total} slots busy"
    return Markup('<span class="slots" role="img" aria-label="{}">{}</span>').format(label, marks)


def meter(share: float | None) -> Markup:
    """Return a bar for a share 0..1."""
    width = 0.0 if share is None else max(0.0, min(1.0, share)) * 100
    return Markup('<div class="meter"><i style="width:{:.1f}%"></i></div>').format(width)


def card(title: str, body: Markup, aside: Markup | str = "", *, flush: bool = False) -> Markup:
    """Return a titled card; `flush` for tables and lists that reach its edges."""
    return Markup(
        '<section class="card {}"><header><h2>{}</h2><span class="grow"></span>{}</header>'
        "{}</section>"
    ).format("flush" if flush else "", title, aside, body)


def table(heads: Iterable[str], rows: Iterable[Markup]) -> Markup:
    """Return a table; a head that starts with `>` is set right, with `~` hidden on phones."""
    cells = join(
        Markup('<th class="{}">{}</th>').format(_classes(head), head.lstrip(">~")) for head in heads
    )
    return Markup(
        '<div class="scroll"><table class="grid"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(cells, join(rows))


def cell(content: Markup | str, kind: str = "") -> Markup:
    """Return one table cell."""
    return Markup('<td class="{}">{}</td>').format(kind, content)


def row(cells: Iterable[Markup], key: str = "", kind: str = "") -> Markup:
    """Return one table row; `key` lets it keep its place on screen when others move."""
    return Markup('<tr id="{}" class="{}">{}</tr>').format(key, kind, join(cells))


def empty(title: str, teach: Markup | str) -> Markup:
    """Return what stands where nothing is yet: what it will show, and how to get there."""
    return Markup('<div class="empty"><b>{}</b>{}</div>').format(title, said(teach))


def code(text: str) -> Markup:
    """Return a piece of code."""
    return Markup("<code>{}</code>").format(text)


def said(text: Markup | str) -> Markup:
    """Return a line of a service, with what stands between backticks as code.

    All of it is escaped; a backtick without a partner stays what it is. Markup stays as it is.
    """
    if isinstance(text, Markup):
        return text
    plain, *marked = _CODE.split(text)
    pieces = zip(marked[::2], marked[1::2], strict=True)
    return escape(plain) + join(code(inside) + escape(after) for inside, after in pieces)


def facts(pairs: Iterable[tuple[str, Markup | str]]) -> Markup:
    """Return a list of names and values."""
    items = join(Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in pairs)
    return Markup('<dl class="facts">{}</dl>').format(items)


def note(text: str, kind: str = "") -> Markup:
    """Return a line that wants attention."""
    return Markup('<div class="note {}" role="status">{}</div>').format(kind, said(text))


def act(name: str, key: str, text: str, kind: str = "") -> Markup:
    """Return a button inside HTML; `Live.acts` hears it. `key` tells what it is about."""
    return Markup(
        '<button class="btn small {}" type="button" data-act="{}" data-key="{}">{}</button>'
    ).format(kind, name, key, text)


def task_link(task_id: str, text: str, limit: int = 140) -> Markup:
    """Return a link to a task's page."""
    return Markup('<a class="cut" href="/dashboard/tasks/{}" title="{}">{}</a>').format(
        task_id, words.cut(text, 600), words.cut(text, limit)
    )


def _classes(head: str) -> str:
    return " ".join(name for sign, name in ((">", "right"), ("~", "late")) if sign in head[:2])
