"""`sovereign ops lessons|check|backup|restore`: what was learnt, what is looked after, copies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Json, Yes

if TYPE_CHECKING:
    from shared.bus import Bus
    from shared.events.ops import BackupReply, OpsChecks, OpsLessons, StreamBackup

CHECK_S = 75.0
BACKUP_S = 930.0
LISTEN_S = 2.5
"""Seconds to listen for services that would write while a backup is brought back."""

WRITERS = frozenset({"agents", "match", "sessions", "router"})

Archive = Annotated[Path, typer.Argument(metavar="FILE", help="A backup, sovereign-….tar.")]
Only = Annotated[
    list[str] | None, typer.Option("--stream", help="Only this stream of it. Repeatable.")
]


def lessons(as_json: Json = False) -> None:
    """Show which remedy worked for which symptom, and what is expected of each."""
    from cli.connection import ask
    from cli.output import show
    from shared.events.ops import OpsLessons
    from shared.events.reports import Empty

    show(ask("ops.lessons", Empty(), OpsLessons), as_json, _show_lessons)


def check(as_json: Json = False) -> None:
    """Look after disk, memory, streams, model, cache, certificates, backups now; 1 if one fails."""
    from cli.connection import ask
    from cli.errors import FAILED
    from cli.output import show
    from shared.events.ops import OpsChecks
    from shared.events.reports import Empty

    found = ask("ops.check", Empty(), OpsChecks, CHECK_S)
    show(found, as_json, _show_checks)
    if any(one.state == "fail" for one in found.checks):
        raise typer.Exit(FAILED)


def backup(as_json: Json = False) -> None:
    """Make a backup of all streams now, on the host of the ops that leads."""
    from cli.connection import ask
    from cli.output import say, show
    from shared.events.ops import BackupReply
    from shared.events.reports import Empty

    if not as_json:
        say("making a backup of all streams")
    show(ask("ops.backup", Empty(), BackupReply, BACKUP_S), as_json, _show_backup)


def restore(file: Archive, stream: Only = None, yes: Yes = False, as_json: Json = False) -> None:
    """Bring streams back from a backup; what stands there now is replaced.

    Nothing may write meanwhile: start the bus alone with `sovereign up ops`.
    """
    from cli.confirming import agree
    from cli.connection import run
    from cli.output import emit_json, tell

    what = ", ".join(stream) if stream else "all streams"
    agree(f"replace {what} by what {file.name} holds", yes=yes)

    async def work(bus: Bus, _: object) -> list[StreamBackup]:
        await _refuse_writers(bus)
        return await _restore(bus, file, stream or [])

    done = run(work)
    if as_json:
        emit_json({"file": str(file), "streams": done})
        return
    for one in done:
        tell(f"{one.stream}: {one.messages} messages are back")


async def _refuse_writers(bus: Bus) -> None:
    """Raise `Conflict` when services that write are heard."""
    import asyncio

    from shared.errors import Conflict

    heard: set[str] = set()

    async def take(message: object) -> None:
        heard.add(str(getattr(message, "subject", "")).split(".")[2])

    await bus.nc.subscribe("health.beat.*.*", cb=take)
    await asyncio.sleep(LISTEN_S)
    if running := sorted(heard & WRITERS):
        line = f"{', '.join(running)} would write meanwhile: stop them, then `sovereign up ops`"
        raise Conflict(line)


async def _restore(bus: Bus, file: Path, names: list[str]) -> list[StreamBackup]:
    """Restore the named streams, or all; raise `InvalidInput` for a name that is not in it."""
    from shared import backups
    from shared.errors import InvalidInput

    async with backups.opened(file) as (found, folder):
        known = [one.stream for one in found]
        if missing := [name for name in names if name not in known]:
            line = f"{file.name} holds no {missing[0]}; it holds {', '.join(known)}"
            raise InvalidInput(line, field="stream")
        wanted = [one for one in found if not names or one.stream in names]
        return [one async for one in backups.restore(bus, wanted, folder, replace=True)]


def _show_lessons(found: OpsLessons) -> None:
    from cli.output import table

    columns = ("symptom", "remedy", "worked", "failed", "expected", "90 % between")
    rows = [
        (one.symptom, one.remedy, one.worked, one.failed, f"{one.expected:.2f}",
         f"{one.low:.2f} and {one.high:.2f}")
        for one in found.lessons
    ]  # fmt: skip
    table(columns, rows)


def _show_checks(found: OpsChecks) -> None:
    from cli.output import table

    rows = [(one.name, one.state, one.advice, one.fixed) for one in found.checks]
    table(("check", "state", "advice", "mended"), rows)


def _show_backup(made: BackupReply) -> None:
    from cli.output import table, tell

    table(("stream", "messages", "bytes"), [(s.stream, s.messages, s.bytes) for s in made.streams])
    tell()
    tell(f"{made.file} on {made.host}: {made.bytes} bytes in {made.took_s:.1f} s")
