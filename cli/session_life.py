"""`sovereign session …`, second part: a session's life, from its first fork to being forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.options import Because, Json, Namespace, Yes

SessionId = Annotated[str, typer.Argument(metavar="SESSION", help="The session's id.")]
NewId = Annotated[str, typer.Argument(metavar="NEW", help="The new session's id.")]
Title = Annotated[str, typer.Option(help="Its title.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the group."""
    for command in (context, resume, close, lease, fork, merge, export, forget, reindex):
        app.command()(command)


def context(
    query: Annotated[str, typer.Argument(help="What the task is about.")] = "",
    session: Annotated[str | None, typer.Option(help="The task's session.")] = None,
    tokens: Annotated[int, typer.Option(min=50, help="At most so many.")] = 1500,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Print what a task should know: open items, decisions, recall, within a budget."""
    from cli import remembering

    remembering.context(
        {"query": query, "session_id": session, "tokens": tokens}, namespace, as_json
    )


def resume(
    session: SessionId,
    document: Annotated[
        Path | None, typer.Option("--handoff", help="The handoff at hand; else the last one made.")
    ] = None,
    look: Annotated[bool, typer.Option("--look", help="Only check; record nothing.")] = False,
    lease: Annotated[str | None, typer.Option(help="Your lease on the session.")] = None,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Check what the handoff promised, tell what drifted, and go on; exit 1 if it is not true."""
    from cli import remembering

    wish = {"session_id": session, "record": not look, "lease": lease}
    remembering.resume(wish, document, namespace, as_json)


def close(
    session: SessionId, reason: Because = "", namespace: Namespace = None, as_json: Json = False
) -> None:
    """Close a session; its handoff is made."""
    from cli import remembering

    remembering.close(session, reason, namespace, as_json)


def lease(
    session: SessionId,
    action: Annotated[
        Literal["take", "renew", "release"], typer.Argument(help="What to do with it.")
    ] = "take",
    token: Annotated[str | None, typer.Option("--lease", help="The lease that take gave.")] = None,
    holder: Annotated[str | None, typer.Option(help="Who holds it; you unless given.")] = None,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="For so long.")] = 60.0,
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Be the one writer of a session for a while; prints the lease."""
    from cli import remembering

    fields = {"session_id": session, "action": action, "lease": token, "holder": holder,
              "seconds": seconds}  # fmt: skip
    remembering.lease(fields, namespace, as_json)


def fork(
    session: SessionId,
    new: NewId,
    seq: Annotated[int | None, typer.Option("--at", min=1, help="As after this event.")] = None,
    title: Title = "",
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Begin a new session from another one, which goes on as it is."""
    from cli import remembering

    remembering.branch("session.fork", (new, title), [(session, seq)], namespace, as_json)


def merge(
    new: NewId,
    sessions: Annotated[list[str], typer.Argument(metavar="SESSION…", help="Two or more.")],
    title: Title = "",
    namespace: Namespace = None,
    as_json: Json = False,
) -> None:
    """Begin a new session from two or more."""
    from cli import remembering

    parents = [(session, None) for session in sessions]
    remembering.branch("session.merge", (new, title), parents, namespace, as_json)


def export(
    session: SessionId,
    form: Annotated[
        Literal["notes", "json"], typer.Option(help="AGENTS.md-style notes, or all events.")
    ] = "notes",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this.")] = None,
    namespace: Namespace = None,
) -> None:
    """Print a session as a document that `session import` takes back."""
    from cli import remembering

    remembering.export(session, form, output, namespace)


def forget(
    session: Annotated[str | None, typer.Option(help="This session.")] = None,
    actor: Annotated[str | None, typer.Option(help="What this actor said.")] = None,
    everything: Annotated[bool, typer.Option(help="All of the namespace.")] = False,
    reason: Because = "",
    namespace: Namespace = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Erase for good: from the stream, the index and the files; a search proves it."""
    from cli import remembering

    target = {"session_id": session, "actor": actor, "everything": everything, "reason": reason}
    remembering.forget(target, namespace, yes, as_json)


def reindex(as_json: Json = False) -> None:
    """Build the search index anew from the stream."""
    from cli import remembering

    remembering.reindex(as_json)
