"""Tasks for a later time, kept by the server itself: leave one, list them, take one back."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from nats.js.errors import NotFoundError

from cli.attachments import File, attach
from cli.connection import run
from cli.output import cut, emit_json, say, table, tell
from cli.requests import declare, instant, seconds_of
from cli.views import parse
from cli.wishes import build, person
from shared.bus import Bus
from shared.clock import now
from shared.errors import Conflict, InvalidInput, NotFound, Unavailable
from shared.events.schedules import ScheduledTask
from shared.events.tasks import TaskRequest
from shared.ids import ulid
from shared.reading import last_of, read_subject
from shared.settings import Settings
from shared.streams import SCHEDULES
from shared.subjects import task_due, task_schedule

_CRON = re.compile(r"\S+(?: \S+){4,5}")
FIRST = "Nats-Schedule"
"""The server's header for the pattern; the other ones begin with it (ADR-51)."""


def pattern(at: str | None, after: str | None, every: str | None) -> str | None:
    """Return the server's pattern for the one of `--at`, `--in`, `--every` that was given."""
    if sum(each is not None for each in (at, after, every)) > 1:
        raise InvalidInput("give one of --at, --in, --every", field="--at")
    if every is not None:
        return _repeated(every)
    due = instant(at, "--at") if at is not None else _after(after)
    if due is None:
        return None
    if due <= now():
        raise InvalidInput(f"--at: {due.astimezone():%Y-%m-%d %H:%M:%S} is over", field="--at")
    return f"@at {due.astimezone(UTC).isoformat().replace('+00:00', 'Z')}"


def _after(span: str | None) -> datetime | None:
    if span is not None and seconds_of(span) is None:
        raise InvalidInput(f"--in: {span!r} is no span like 90s, 30m, 2h, 1d", field="--in")
    return instant(span, "--in")


def _repeated(every: str) -> str:
    """Return the pattern of a span, of cron with five fields or six, or `@daily` and its like."""
    seconds = seconds_of(every)
    if seconds is not None:
        if seconds < 1:
            raise InvalidInput("--every: a second at least", field="--every")
        return f"@every {seconds:g}s" if seconds % 1 else f"@every {seconds:.0f}s"
    words = " ".join(every.split())
    if words.startswith("@") and " " not in words:
        return words
    if _CRON.fullmatch(words):
        return words if words.count(" ") == 5 else f"0 {words}"
    line = f"--every: {every!r} is neither a span like 30m, nor cron, nor @hourly, @daily, @weekly"
    raise InvalidInput(line, field="--every")


def submit_later(
    task: TaskRequest, files: list[File], when: str, zone: str | None, as_json: bool
) -> None:
    """Leave the task with the server until its time; prints the schedule's id."""
    name = str(task.task_id)
    if task.deadline is not None and not when.startswith("@at "):
        raise InvalidInput("--deadline: an instant cannot end every task of a schedule;"
                           " use --budget seconds=…", field="--deadline")  # fmt: skip

    async def work(bus: Bus, settings: Settings) -> ScheduledTask:
        await declare(bus, settings)
        await _check_server(bus)
        whole = task.model_copy(update={"attachments": await attach(bus, name, files, 4096)})
        by = f"{person()}@{settings.host}"
        fields = {"schedule_id": name, "when": when, "zone": zone, "request": whole, "by": by}
        wanted = build(ScheduledTask, fields)
        await _leave(bus, wanted)
        return wanted

    left = run(work)
    if as_json:
        emit_json(left)
        return
    tell(name)
    say(f"scheduled {told(left)}; take it back: sovereign task unschedule {name}")


async def _leave(bus: Bus, wanted: ScheduledTask) -> None:
    """Store the schedule, once; an id that is taken is refused and not replaced."""
    headers = {FIRST: wanted.when, f"{FIRST}-Target": task_due(wanted.schedule_id)}
    if wanted.zone is not None:
        headers[f"{FIRST}-Time-Zone"] = wanted.zone
    subject = task_schedule(wanted.schedule_id)
    if await last_of(bus, SCHEDULES.name, subject) is not None:
        line = f"there is a schedule {wanted.schedule_id}: take it back first, or name another id"
        raise Conflict(line)
    try:
        await bus.publish(subject, wanted, f"schedule-{ulid()}", headers=headers)
    except InvalidInput as error:
        what = f" in zone {wanted.zone}" if wanted.zone else ""
        line = f"--every: the server does not take {wanted.when!r}{what}: {error.message}"
        raise InvalidInput(line, field="--every") from None


async def _check_server(bus: Bus) -> None:
    try:
        info = await bus.js.stream_info(SCHEDULES.name)
    except NotFoundError:
        info = None
    if info is None or not info.config.allow_msg_schedules:
        raise Unavailable("this server keeps no schedules: nats-server 2.12 or later is needed")


def list_schedules(as_json: bool) -> None:
    """Print what is scheduled, in the order in which it was left."""
    found = run(lambda bus, _: every(bus))
    if as_json:
        emit_json(found)
    elif found:
        table(("schedule", "when", "priority", "by", "title"), map(_row, found))
    else:
        say("nothing is scheduled: sovereign task submit 'What?' --every 1d")


async def every(bus: Bus) -> list[ScheduledTask]:
    """Return all schedules that the server keeps."""
    stored = await read_subject(bus, SCHEDULES.name, task_schedule("x").replace(".x", ".*"))
    return [one for each in stored if (one := parse(each, ScheduledTask)) is not None]


async def scheduled(bus: Bus, schedule_id: str) -> ScheduledTask | None:
    """Return one schedule, or None."""
    return parse(await last_of(bus, SCHEDULES.name, task_schedule(schedule_id)), ScheduledTask)


def remove(schedule_id: str, as_json: bool) -> None:
    """Take a schedule back; tasks that it has handed in go on."""

    async def work(bus: Bus, _: Settings) -> None:
        if await scheduled(bus, schedule_id) is None:
            raise NotFound(f"no schedule {schedule_id}: see `sovereign task schedules`")
        await bus.js.purge_stream(SCHEDULES.name, subject=task_schedule(schedule_id))

    run(work)
    if as_json:
        emit_json({"schedule_id": schedule_id, "removed": True})
    else:
        tell(f"schedule {schedule_id} is taken back")


def _row(one: ScheduledTask) -> tuple[object, ...]:
    priority = one.request.priority or "normal"
    return one.schedule_id, told(one), priority, one.by, cut(one.request.title, 60)


def told(one: ScheduledTask) -> str:
    """Return when it fires, in local time where it fires once."""
    if one.once:
        at = datetime.fromisoformat(one.when.removeprefix("@at "))
        return f"at {at.astimezone():%Y-%m-%d %H:%M:%S}"
    words = one.when.removeprefix("@").removeprefix("every ")
    return f"every {words}" + (f" in {one.zone}" if one.zone else "")
