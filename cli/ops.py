"""`sovereign ops …`: what keeps the system alive, what it did, and a person's wishes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli import healing
from cli.options import Json, Limit, group

if TYPE_CHECKING:
    from shared.events.ops import OpsEvent, OpsHistory, OpsStatus, ServiceRecord

app = group("What keeps the system alive, and what it did.", "Look")

Service = Annotated[str, typer.Argument(help="The service that is meant.")]
Only = Annotated[str | None, typer.Option("--service", help="Only this service.")]
Instance = Annotated[str | None, typer.Option("--instance", help="Only this instance of it.")]
On = Annotated[str | None, typer.Option("--host", help="Only on this host.")]
Why = Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the record.")]
ASKED = "asked on the command line"


@app.command()
def status(as_json: Json = False) -> None:
    """Show every instance as ops sees it; fails when something is not healthy."""
    from cli.connection import ask
    from cli.errors import FAILED
    from cli.output import show
    from shared.events.ops import OpsStatus
    from shared.events.reports import Empty

    seen = ask("ops.status", Empty(), OpsStatus)
    show(seen, as_json, _show_status)
    if not seen.healthy:
        raise typer.Exit(FAILED)


@app.command()
def history(
    limit: Limit = 50,
    service: Only = None,
    kind: Annotated[str | None, typer.Option(help="symptom, decision, outcome, …")] = None,
    as_json: Json = False,
) -> None:
    """Show what ops saw, decided and did, the newest first."""
    from cli.connection import ask
    from cli.output import show
    from cli.wishes import build
    from shared.events.ops import OpsHistory, OpsHistoryAsk

    wish = build(OpsHistoryAsk, {"limit": limit, "service": service, "kind": kind})
    show(ask("ops.history", wish, OpsHistory), as_json, _show_history)


@app.command()
def restart(
    service: Service,
    instance: Instance = None,
    host: On = None,
    reason: Why = ASKED,
    as_json: Json = False,
) -> None:
    """Restart a service at once; what it holds goes to its peers or comes back to it."""
    from cli.wishes import command

    command("ops.restart", (service, instance, host), reason, as_json)


@app.command()
def drain(
    service: Service,
    instance: Instance = None,
    host: On = None,
    reason: Why = ASKED,
    as_json: Json = False,
) -> None:
    """Let a service finish what it holds, then restart it."""
    from cli.wishes import command

    command("ops.drain", (service, instance, host), reason, as_json)


app.command()(healing.lessons)
app.command()(healing.check)
app.command()(healing.backup)
app.command()(healing.restore)


def _show_status(seen: OpsStatus) -> None:
    from cli.output import tell
    from cli.status import instances_table

    instances_table([dict(one) for one in seen.instances])
    tell()
    _show_services(seen.services)
    word = "healthy" if seen.healthy else "not healthy"
    tell(f"{word}; leader {seen.leader or '-'}, revision {seen.revision}, {seen.actions} actions")


def _show_services(records: tuple[ServiceRecord, ...]) -> None:
    """Print what the record tells of each service that ever fell."""
    from cli.output import table, tell

    fell = [one for one in records if one.failures]
    if not fell:
        return
    columns = ("service", "host", "failures", "mean time to repair", "available", "since")
    rows = [
        (one.service, one.host, one.failures, _seconds(one.mttr_s),
         f"{100 * one.availability:.3f} %", f"{one.since.astimezone():%m-%d %H:%M}")
        for one in fell
    ]  # fmt: skip
    table(columns, rows)
    tell()


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f} s"


def _show_history(record: OpsHistory) -> None:
    from cli.output import table

    columns = ("at", "kind", "service", "host", "symptom", "remedy", "outcome", "took", "cause")
    table(columns, map(_row, record.events))


def _row(event: OpsEvent) -> tuple[object, ...]:
    took = None if event.duration_s is None else f"{event.duration_s:.1f} s"
    at = f"{event.at.astimezone():%m-%d %H:%M:%S}"
    return (
        at, event.kind, event.service, event.host, event.symptom, event.remedy, event.outcome,
        took, event.cause,
    )  # fmt: skip
