"""`sovereign session …`: what was done, what is open, what the next one needs to know."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import session_life
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
    expect: Annotated[
        int | None, typer.Option("--expect", min=0, help="Refuse unless the session is at this.")
    ] = None,
    lease: Annotated[str | None, typer.Option(help="Your lease on the session.")] = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Add a fact to a session; prints the event's id."""
    from cli import recalling

    fields = {
        "session_id": session, "title": title, "kind": kind, "body": body, "data": data,
        "tags": tag or [], "event_id": event_id, "supersedes": supersedes,
        "expected_seq": expect, "lease": lease,
    }  # fmt: skip
    recalling.append(fields, namespace, as_json)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="Words to look for.")],
    limit: Limit = 10,
    session: Annotated[str | None, typer.Option(help="Only in this session.")] = None,
    around: Annotated[int, typer.Option(min=0, max=5, help="Events beside each.")] = 0,
    tokens: Annotated[int | None, typer.Option(min=50, help="At most so many in all.")] = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Find facts over all sessions, the best first."""
    from cli import recalling

    fields = {"query": query, "limit": limit, "session_id": session, "around": around,
              "tokens": tokens}  # fmt: skip
    recalling.search(fields, namespace, as_json)


@app.command()
def handoff(
    session: SessionId,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write Markdown to this file.")
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="With a language model's summary that cites.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Record that it was made.")] = False,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Print the handoff document: Markdown, or with --json the whole document."""
    from cli import recalling

    fields = {"session_id": session, "summary": summary, "keep": keep}
    recalling.handoff(fields, output, namespace, as_json)


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


session_life.add_to(app)
