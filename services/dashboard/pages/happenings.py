"""The record of ops as a list: what was seen, decided, done, and how it ended."""

from __future__ import annotations

from markupsafe import Markup

from services.dashboard.pages import parts, words
from services.dashboard.store import Store
from shared.clock import now
from shared.events import OpsEvent

TEACH = (
    "When a service starts, falls silent or is restarted, it stands here with its cause,"
    " what was done about it, and how it ended."
)


def happenings(store: Store, limit: int) -> Markup:
    """Return the latest entries, the newest first."""
    events = [event for event in events_of(store) if not is_routine(event)][:limit]
    link = Markup('<a class="link" href="/dashboard/ops">the whole record</a>')
    if not events:
        return parts.card("What happened", parts.empty("Nothing yet", TEACH), link, flush=True)
    rows = parts.join(_row(event) for event in events)
    body = Markup('<div class="rows">{}</div>').format(rows)
    return parts.card("What happened", body, link, flush=True)


def events_of(store: Store) -> list[OpsEvent]:
    """Return what was recalled and heard, each once, the newest first."""
    merged = {event.event_id: event for event in store.ops}
    return sorted(merged.values(), key=lambda event: event.at, reverse=True)


def is_routine(event: OpsEvent) -> bool:
    """Tell whether an entry only says that all is well: pages show what changed."""
    return event.kind == "check" and event.outcome == "ok"


def happened(event: OpsEvent) -> str:
    """Return the word of an entry: an outcome is named by what came out."""
    return words.cut(event.outcome, 20) if event.kind == "outcome" and event.outcome else event.kind


def told(event: OpsEvent) -> str:
    """Return the story of one entry in a line."""
    chain = " → ".join(part for part in (event.symptom, event.remedy, event.outcome) if part)
    story = ": ".join(part for part in (chain, event.cause) if part)
    seen = evidence(event)
    return " · ".join(part for part in (story, seen) if part) or PLAIN.get(event.kind, event.kind)


PLAIN = {"ready": "beats and does its work", "stopped": "stopped as planned", "exited": "went away"}


def evidence(event: OpsEvent) -> str:
    """Return what was measured, as words: bytes as memory, floats rounded."""
    pairs = list(event.evidence.items())[:6]
    return ", ".join(f"{_name(name)} {_value(name, value)}" for name, value in pairs)


def _name(name: str) -> str:
    return words.cut(name.removesuffix("_bytes").removesuffix("_s").replace("_", " "), 30)


def _value(name: str, value: object) -> str:
    if isinstance(value, (int, float)) and name.endswith("_bytes"):
        return words.memory(int(value))
    if isinstance(value, (int, float)) and name.endswith("_s"):
        return words.duration(float(value))
    return words.cut(f"{value:.3g}" if isinstance(value, float) else str(value), 80)


def _row(event: OpsEvent) -> Markup:
    where = "/".join(part for part in (event.host, event.instance or event.service) if part)
    return Markup(
        '<div class="row-item" id="ops-{}"><span style="width:104px;flex:none">{}</span>'
        '<span class="grow"><span class="cut" title="{}">{}</span></span>'
        '<span class="soft nowrap late">{}</span><span class="muted num nowrap">{}</span></div>'
    ).format(
        event.event_id, parts.word(happened(event)), words.cut(told(event), 600),
        words.cut(told(event), 160), words.cut(where, 40), words.ago(words.since(event.at, now())),
    )  # fmt: skip
