"""A task's journal as a list: each entry in a line of words, and whole when it is opened."""

from __future__ import annotations

from typing import Any

import orjson
from markupsafe import Markup

from services.dashboard.journal import Line
from services.dashboard.pages import parts, words

SHOWN = 300
LONGEST = 12_000
TEACH = "Every decision, model call and result of this task stands here, in order, for good."


def journal_card(lines: list[Line], task_id: str) -> Markup:
    """Return the journal, the latest entries when there are very many."""
    whole = Markup('<a class="link" href="/tasks/{}/journal?whole=true">as JSON</a>').format(
        task_id
    )
    if not lines:
        return parts.card("Journal", parts.empty("Nothing yet", TEACH), flush=True)
    count = words.plural(len(lines), "entry").replace("entrys", "entries")
    again = parts.act("replay", task_id, "Replay")
    aside = Markup('<span class="muted num">{}</span> {} {}').format(count, whole, again)
    rows = parts.join(_row(line) for line in lines[-SHOWN:])
    return parts.card("Journal", rows, aside, flush=True)


def _row(line: Line) -> Markup:
    entry = line.entry
    return Markup(
        '<details class="step" id="entry-{0}"><summary class="plainly"><span class="num muted">'
        '{0}</span><span class="cut"><b style="font-weight:550">{1}</b> <span class="muted">{2}'
        '</span></span><span class="muted nowrap late">{3}</span></summary>'
        '<div class="inside"><div class="plain">{4}</div></div></details>'
    ).format(
        line.seq, words.cut(line.kind.replace("_", " "), 60), words.cut(told(entry), 160),
        words.cut(f"{entry.get('by') or ''} {str(entry.get('at') or '')[11:19]}", 60), _json(entry),
    )  # fmt: skip


def told(entry: dict[str, Any]) -> str:
    """Return what an entry is about, in a few words."""
    step = entry.get("step_id") or _of(entry, "result", "step_id") or ""
    said = (
        _of(entry, "reason", "message") or _of(entry, "request", "title")
        or _of(entry, "control", "action") or _of(entry, "reply", "model")
        or _of(entry, "result", "title") or entry.get("tool") or entry.get("state") or ""
    )  # fmt: skip
    return ": ".join(str(part) for part in (step, said) if part)


def _of(entry: dict[str, Any], name: str, field: str) -> Any:
    inner = entry.get(name)
    return inner.get(field) if isinstance(inner, dict) else None


def _json(entry: dict[str, Any]) -> str:
    text = words.clean(orjson.dumps(entry, option=orjson.OPT_INDENT_2).decode())
    rest = len(text) - LONGEST
    return text if rest <= 0 else f"{text[:LONGEST]}\n… {words.count(rest)} characters more"
