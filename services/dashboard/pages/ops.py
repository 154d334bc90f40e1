"""What keeps the house alive: instances with their heartbeats, and the record of remedies."""

from __future__ import annotations

from markupsafe import Markup

from services.dashboard.door.build import House
from services.dashboard.pages import parts, words
from services.dashboard.pages.happenings import TEACH, events_of, happened, is_routine, told
from services.dashboard.pages.services import services_table
from services.dashboard.pages.shell import page
from services.dashboard.store import Store
from shared.clock import now
from shared.events import OpsEvent, OpsStatus

SHOWN = 100


def build(house: House) -> None:
    """Build the page."""
    store = house.store
    with page(house, "Ops", "/dashboard/ops") as shown:
        shown.live(lambda: reasons(store))
        shown.live(lambda: summary(store), "tiles")
        shown.live(lambda: services_table(store))
        shown.live(lambda: record(store))


def reasons(store: Store) -> Markup:
    """Return why the house is ill, a line each; nothing while it is healthy."""
    status: OpsStatus | None = store.report("ops.status")
    if status is None or status.healthy:
        return Markup("")
    lines = parts.join(parts.note(words.cut(reason, 300), "bad") for reason in status.reasons)
    return Markup('<div class="stack">{}</div>').format(lines)


def summary(store: Store) -> Markup:
    """Return who leads, what was done, when all was last checked."""
    status: OpsStatus | None = store.report("ops.status")
    if status is None:
        return parts.tile("Ops", words.DASH, "ops has not reported yet", "unknown")
    ill = [one for one in status.instances if one.symptom]
    seen = ", ".join(sorted({str(one.symptom) for one in ill})) or "no symptom now"
    restarts = sum(one.restarts for one in status.instances)
    checked = words.ago(words.since(status.last_check, now()))
    return parts.join(
        (
            parts.tile("House", "healthy" if status.healthy else "ill", words.cut(seen, 80),
                       "" if status.healthy else "bad"),
            parts.tile("Leader", words.cut(status.leader, 18) or words.DASH,
                       f"lease revision {words.count(status.revision)}"),
            parts.tile("Actions taken", words.count(status.actions), "since this leader began"),
            parts.tile("Restarts", words.count(restarts), "over all instances"),
            parts.tile("Last full check", checked, "of every service and of the bus"),
            parts.tile("Instances", words.count(len(status.instances)),
                       words.plural(len({one.host for one in status.instances}), "host")),
        )
    )  # fmt: skip


def record(store: Store) -> Markup:
    """Return the record, the newest first."""
    everything = events_of(store)
    events = [event for event in everything if not is_routine(event)][:SHOWN]
    aside = _checks(everything)
    if not events:
        return parts.card("The record", parts.empty("Nothing yet", TEACH), aside, flush=True)
    heads = ("What", "Story", "~Where", "~By", ">Took", ">When")
    rows = [_row(event) for event in events]
    return parts.card("The record", parts.table(heads, rows), aside, flush=True)


def _checks(events: list[OpsEvent]) -> Markup:
    """Return how many checks passed, which are not listed one by one."""
    passed = [event for event in events if is_routine(event)]
    if not passed:
        return Markup("")
    age = words.ago(words.since(passed[0].at, now()))
    return Markup('<span class="muted num">{}</span>').format(
        f"{words.plural(len(passed), 'check')} passed, the last {age}"
    )


def _row(event: OpsEvent) -> Markup:
    where = "/".join(part for part in (event.host, event.instance or event.service) if part)
    cells = (
        parts.cell(parts.word(happened(event))),
        parts.cell(parts.line(told(event), 200), "wide"),
        parts.cell(words.cut(where, 50) or words.DASH, "late soft nowrap"),
        parts.cell(words.cut(event.by, 30) or words.DASH, "late soft nowrap"),
        parts.cell(words.duration(event.duration_s), "right num nowrap"),
        parts.cell(words.ago(words.since(event.at, now())), "right num nowrap muted"),
    )
    return parts.row(cells, f"ops-{event.event_id}", "hit")
