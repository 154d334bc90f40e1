"""What keeps the house alive: instances with their heartbeats, and the record of remedies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from markupsafe import Markup
from pydantic import ValidationError

from services.dashboard.door.build import House
from services.dashboard.pages import parts, words
from services.dashboard.pages.asked import Asked
from services.dashboard.pages.asking import confirmed, done
from services.dashboard.pages.happenings import TEACH, events_of, happened, is_routine, told
from services.dashboard.pages.services import services_table
from services.dashboard.pages.shell import page
from services.dashboard.pages.visitor import may
from services.dashboard.store import Store
from shared import events as e
from shared.bus import invalid
from shared.clock import now
from shared.errors import Refused
from shared.events import OpsEvent, OpsStatus
from shared.events.ops import CommandReply, Lesson, OpsAsk, OpsLessons

SHOWN = 100
ORDER_S = 45.0
"""Longest wait for the outcome of a restart."""


async def build(house: House) -> None:
    """Build the page."""
    store = house.store
    with page(house, "Ops", "/dashboard/ops") as shown:
        shown.live(lambda: reasons(store))
        shown.live(lambda: summary(store), "tiles")
        acts = may(house, "operate")
        table = shown.live(lambda: services_table(store, acts=acts))
        if acts:
            table.acts({verb: _ordering(house, verb) for verb in ("restart", "drain")})
        learnt = Asked(shown, "ops.lessons", e.Empty(), OpsLessons)
        await learnt.follow()
        shown.live(lambda: record(store))
        shown.live(lambda: learnt.shown("Lessons", lessons))


def _ordering(house: House, verb: str) -> Callable[[str], Awaitable[None]]:
    """Return what asks for the reason of a restart or drain, and has ops order it."""

    async def order(key: str) -> None:
        service, instance, host = ([*key.split("/"), "", ""])[:3]
        title = f"{verb.capitalize()} {service} on {host}?"
        reason = await confirmed(title, "Reason; it stands in the record")
        if reason is None:
            return

        async def act(by: str) -> str:
            wish = _wish(service, instance, host, reason, by)
            reply = await house.reach.ask(f"ops.{verb}", wish, CommandReply, ORDER_S)
            if not reply.accepted:
                raise Refused(reply.detail or f"ops did not {verb} it")
            return reply.detail or f"{verb}: done"

        await done(house, "operate", act)

    return order


def _wish(service: str, instance: str, host: str, reason: str, by: str) -> OpsAsk:
    try:
        return OpsAsk(
            service=service, instance=instance or None, host=host or None,
            reason=reason.strip() or "asked at the dashboard", by=by,
        )  # fmt: skip
    except ValidationError as error:
        raise invalid(error) from None


def lessons(known: OpsLessons) -> Markup:
    """Return which remedy worked for which symptom, and how sure that is."""
    tried = [one for one in known.lessons if one.worked + one.failed]
    if not tried:
        teach = "After the first remedy: how often it worked for its symptom; the better one wins."
        return parts.card("Lessons", parts.empty("None yet", teach), flush=True)
    heads = ("Symptom", "Remedy", ">Worked", ">Failed", "Expected to work")
    return parts.card("Lessons", parts.table(heads, [_lesson(one) for one in tried]), flush=True)


def _lesson(one: Lesson) -> Markup:
    sure = f"{one.expected * 100:.0f} % ({one.low * 100:.0f} to {one.high * 100:.0f})"
    cells = (
        parts.cell(words.cut(one.symptom, 40), "name"),
        parts.cell(words.cut(one.remedy, 40)),
        parts.cell(words.count(one.worked), "right num"),
        parts.cell(words.count(one.failed), "right num"),
        parts.cell(Markup("{}{}").format(parts.meter(one.expected), sure)),
    )
    return parts.row(cells, f"lesson-{one.symptom}-{one.remedy}", "hit")


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
