"""The table of services: state in words, heartbeats, memory, lag, restarts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from services.dashboard.pages import parts, words
from services.dashboard.store import Store
from services.dashboard.vitals import Instance
from shared.services import SERVICES

HEADS = ("Service", "State", "Heartbeats", "~Host", ">Memory", "~>CPU", "~>Loop lag", "~>Up for",
         ">Restarts")  # fmt: skip
FIGURES = ("Heartbeats", ">Memory", ">Restarts")


def services_table(store: Store, *, acts: bool = False) -> Markup:
    """Return every expected service, heard or not; what else was heard stands apart below.

    With `acts`, each instance has buttons `restart` and `drain` (key: `service/instance/host`).
    """
    others = [name for name in store.vitals.services() if name not in SERVICES]
    cards = [_card("Services", store, SERVICES, acts=acts)]
    if others:
        cards.append(_card("Beside the services", store, others))
    return Markup('<div class="stack {}">{}</div>').format(
        parts.stale(store.mood() == "lost"), parts.join(cards)
    )


def _card(title: str, store: Store, names: Sequence[str], *, acts: bool = False) -> Markup:
    total = sum(one.beat.rss_bytes for name in names for one in store.vitals.of(name))
    aside = Markup('<span class="muted num">{} in all</span>').format(words.memory(total))
    heads = _heads(acts=acts)
    table = parts.table(heads, _rows(store, names, acts=acts))
    return parts.card(title, table, aside, flush=True)


def _heads(*, acts: bool) -> tuple[str, ...]:
    """Return the heads; on a phone the buttons take the place of the figures."""
    return (*(f"~{head}" if head in FIGURES else head for head in HEADS), "") if acts else HEADS


def _rows(store: Store, names: Sequence[str], *, acts: bool) -> Iterator[Markup]:
    restarts = _restarts(store)
    for name in names:
        instances = store.vitals.of(name)
        if not instances:
            yield _missing(name, acts=acts)
        for one in instances:
            key = (one.beat.service, one.beat.instance)
            yield _instance(one, store, max(one.boots - 1, restarts.get(key, 0)), acts=acts)


def _missing(name: str, *, acts: bool) -> Markup:
    cells = (
        parts.cell(name, "name"),
        parts.cell(parts.word("missing")),
        parts.cell(parts.bars(()), "late" if acts else ""),
        Markup(
            '<td colspan="{}" class="muted late">no heartbeat heard; start it with {}</td>'
        ).format(7 if acts else 6, parts.code(f"sovereign run {name}")),
    )
    return parts.row(cells, f"service-{name}")


def _instance(one: Instance, store: Store, restarts: int, *, acts: bool) -> Markup:
    beat = one.beat
    at = store.seen_at()
    late = "late " if acts else ""
    label = Markup('{} <span class="muted late">{}</span>').format(
        beat.service, "" if beat.instance == f"{beat.service}-1" else beat.instance
    )
    cells = (
        parts.cell(label, "name nowrap"),
        parts.cell(_state(one, at)),
        parts.cell(parts.bars(one.bars), late),
        parts.cell(beat.host, "late soft nowrap"),
        parts.cell(words.memory(beat.rss_bytes), f"{late}right num nowrap"),
        parts.cell(words.percent(one.cpu_share), "late right num nowrap"),
        parts.cell(words.duration(beat.loop_lag_s), "late right num nowrap"),
        parts.cell(words.duration(beat.uptime_s), "late right num nowrap"),
        parts.cell(str(restarts), f"{late}right num"),
        *((parts.cell(_buttons(one), "right nowrap"),) if acts else ()),
    )
    return parts.row(cells, f"beat-{beat.service}-{beat.instance}", "hit")


def _buttons(one: Instance) -> Markup:
    beat = one.beat
    key = f"{beat.service}/{beat.instance}/{beat.host}"
    return parts.act("restart", key, "Restart") + parts.act("drain", key, "Drain")


def _state(one: Instance, at: float) -> Markup:
    state = one.state(at)
    silent = f"for {words.duration(one.silent_s(at))}" if state == "silent" else ""
    return parts.word(state, silent)


def _restarts(store: Store) -> dict[tuple[str, str], int]:
    """Return the restarts that ops counts, which know more than the beats heard here."""
    status = store.report("ops.status")
    found = status.instances if status else ()
    return {(one.service, one.instance): one.restarts for one in found}
