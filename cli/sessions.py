"""`sovereign session …`: what was done, what is open, what the next one needs to know."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Json, Limit, Namespace, group

app = group("What was done and decided, and what the next one needs to know.", "Work")

SessionId = Annotated[str, typer.Argument(metavar="SESSION", help="The session's id.")]


@app.command("list")
def list_sessions(limit: Limit = 100, namespace: Namespace = None, as_json: Json = False) -> None:
    """List the sessions, the latest first."""
    from cli import recalling

    recalling.list_sessions(limit, namespace, as_json)


@app.command()
def show(session: SessionId, namespace: Namespace = None, as_json: Json = False) -> None:
    """Show all that a session holds, in order."""
    from cli import recalling

    recalling.show_session(session, namespace, as_json)


@app.command()
def append(
    session: SessionId,
    title: Annotated[str, typer.Argument(help="The fact, in one line.")],
    kind: Annotated[
        str, typer.Option("--kind", "-k", help="note, decision, pending.add, …")
    ] = "note",
    body: Annotated[str, typer.Option("--body", "-b", help="More; `-` reads stdin.")] = "",
    data: Annotated[str, typer.Option(help='JSON of the kind, e.g. \'{"why": "…"}\'.')] = "{}",
    tag: Annotated[list[str] | None, typer.Option(help="Repeatable.")] = None,
    event_id: Annotated[str | None, typer.Option("--id", help="Twice the same is once.")] = None,
    supersedes: Annotated[str | None, typer.Option(help="The event that this one closes.")] = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Add a fact to a session; prints the event's id."""
    from cli import recalling

    fields = {
        "session_id": session, "title": title, "kind": kind, "body": body, "data": data,
        "tags": tag or [], "event_id": event_id, "supersedes": supersedes,
    }  # fmt: skip
    recalling.append(fields, namespace, as_json)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="Words to look for.")],
    limit: Limit = 10,
    session: Annotated[str | None, typer.Option(help="Only in this session.")] = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Find facts over all sessions, the best first."""
    from cli import recalling

    recalling.search({"query": query, "limit": limit, "session_id": session}, namespace, as_json)


@app.command()
def handoff(
    session: SessionId,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write Markdown to this file.")
    ] = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Print the handoff document: Markdown, or with --json the whole document."""
    from cli import recalling

    recalling.handoff(session, output, namespace, as_json)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A handoff or notes in Markdown; `-` is stdin.")],
    session: Annotated[str | None, typer.Option(help="Its id; made from the file's name.")] = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Read a handoff document or notes into a session."""
    from cli import recalling

    recalling.import_file(file, session, namespace, as_json)
