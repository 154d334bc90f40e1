"""A session's life over the bus: context, resume, close, lease, fork, merge, export, forget."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import typer
from pydantic import BaseModel

from cli.attachments import read
from cli.confirming import agree
from cli.connection import ask, request, run
from cli.errors import FAILED
from cli.held import claim_of, difference
from cli.output import clean_block, emit_json, say, tell
from cli.wishes import build, namespace_of, person
from shared.bus import Bus
from shared.events import (
    Drift,
    Empty,
    Handoff,
    Lease,
    LeaseAsk,
    SeenArtifact,
    SessionAsk,
    SessionBranch,
    SessionBranched,
    SessionClose,
    SessionClosed,
    SessionContext,
    SessionContextAsk,
    SessionExport,
    SessionExported,
    SessionForget,
    SessionForgotten,
    SessionReindexed,
    SessionResume,
    SessionResumed,
)
from shared.settings import Settings

Reply = TypeVar("Reply", bound=BaseModel)
Fields = dict[str, Any]

WITHIN_S = 60.0
REINDEX_S = 600.0


def context(fields: Fields, namespace: str | None, as_json: bool) -> None:
    """Print the context of a task."""
    found = _asked("session.context", SessionContextAsk, fields, SessionContext, namespace)
    if as_json:
        emit_json(found)
        return
    if found.text:
        typer.echo(clean_block(found.text))
    say(f"{found.tokens} tokens, {len(found.event_ids)} facts, {found.left_out} left out")


def resume(wish: Fields, document: Path | None, namespace: str | None, as_json: bool) -> None:
    """Print drift and handoff; exit 1 when the handoff is not what the record says."""
    text = read(document).data.decode(errors="replace") if document is not None else None
    claim = {} if text is None else claim_of(text, str(document))

    async def work(bus: Bus, settings: Settings) -> SessionResumed:
        place = {"namespace": namespace_of(settings, namespace), "session_id": wish["session_id"]}
        now = await request(bus, "session.handoff", build(SessionAsk, place), Handoff, WITHIN_S)
        seen = [look_at(uri) for uri in _uris(now)]
        fields = wish | place | claim | {"artifacts": seen, "by": person()}
        asked = build(SessionResume, fields)
        told = await request(bus, "session.resume", asked, SessionResumed, WITHIN_S)
        if text is None:
            return told
        then = build(SessionAsk, place | {"at_seq": claim["seq"]})
        made = await request(bus, "session.handoff", then, Handoff, WITHIN_S)
        return _with_difference(told, difference(text, made))

    told = run(work)
    if as_json:
        emit_json(told)
    else:
        typer.echo(clean_block(told.handoff.markdown.rstrip("\n")))
        for drift in told.drift:
            say(f"drift, {drift.kind}: {drift.text}")
        word = {None: "there was no handoff to check", True: "the handoff is true"}
        say(word.get(told.verified, "the handoff is NOT what the record says"))
    if told.verified is False:
        raise typer.Exit(FAILED)


def _with_difference(told: SessionResumed, where: str) -> SessionResumed:
    if not where:
        return told
    drift = Drift(kind="checksum", text=f"the document at hand: {where}")
    return told.model_copy(update={"verified": False, "drift": (drift, *told.drift)})


def _uris(handoff: Handoff) -> list[str]:
    sections = handoff.document.get("sections", [])
    lines = [line for each in sections if each["name"] == "artifacts" for line in each["lines"]]
    return [str(line["uri"]) for line in lines if "uri" in line][:1000]


def look_at(uri: str) -> SeenArtifact:
    """Return what stands under a path here, relative ones below the present folder."""
    path = Path(uri.removeprefix("file://"))
    try:
        if not path.is_file():
            return SeenArtifact(uri=uri, exists=path.exists())
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return SeenArtifact(uri=uri, exists=False)
    return SeenArtifact(uri=uri, exists=True, sha256=digest)


def close(session: str, reason: str, namespace: str | None, as_json: bool) -> None:
    """Close a session and print its handoff's checksum."""
    fields = {"session_id": session, "reason": reason, "by": person()}
    done = _asked("session.close", SessionClose, fields, SessionClosed, namespace)
    if as_json:
        emit_json(done)
        return
    tell(f"closed at {done.seq}")
    say(f"handed over as {done.handoff}: {done.checksum}")


def lease(fields: Fields, namespace: str | None, as_json: bool) -> None:
    """Take, renew or release a lease and print it."""
    given = fields | {"holder": fields["holder"] or person()}
    found = _asked("session.lease", LeaseAsk, given, Lease, namespace)
    if as_json:
        emit_json(found)
        return
    tell(found.lease)
    say(f"{found.state} by {found.holder} until {found.until.astimezone():%H:%M:%S}")


def branch(
    subject: str,
    new: tuple[str, str],
    parents: Sequence[tuple[str, int | None]],
    namespace: str | None,
    as_json: bool,
) -> None:
    """Fork or merge; `new` is the id and the title of what begins."""
    given = [{"session_id": name, "seq": seq} for name, seq in parents]
    fields = {"session_id": new[0], "title": new[1], "parents": given, "by": person()}
    made = _asked(subject, SessionBranch, fields, SessionBranched, namespace)
    if as_json:
        emit_json(made)
        return
    tell(made.session_id)
    say("from " + ", ".join(f"{each.session_id} at {each.seq}" for each in made.parents))


def export(session: str, form: str, output: Path | None, namespace: str | None) -> None:
    """Print or write the document."""
    fields = {"session_id": session, "form": form}
    found = _asked("session.export", SessionExport, fields, SessionExported, namespace)
    if output is None:
        typer.echo(clean_block(found.text.rstrip("\n")))
        return
    output.write_text(found.text, encoding="utf-8")
    say(f"{output}: {found.events} events")


def forget(target: Fields, namespace: str | None, yes: bool, as_json: bool) -> None:
    """Erase after asking, and print the proof."""
    what = target["session_id"] or target["actor"] or "the whole namespace"
    agree(f"forget {what} for good", yes=yes)
    fields = target | {"by": person()}
    done = _asked("session.forget", SessionForget, fields, SessionForgotten, namespace)
    if as_json:
        emit_json(done)
        return
    tell(f"{done.events} events of {len(done.sessions)} sessions are forgotten")
    say(f"searched for {done.searched_words} of their words: {done.found_after} traces found")


def reindex(as_json: bool) -> None:
    """Build the index anew and print what it holds."""
    done = ask("session.reindex", Empty(), SessionReindexed, REINDEX_S)
    if as_json:
        emit_json(done)
        return
    tell(f"{done.events} events up to {done.last_seq} in {done.seconds:g} s")


def _asked(
    subject: str, kind: type[BaseModel], fields: Fields, reply: type[Reply], namespace: str | None
) -> Reply:
    """Ask once, in the namespace that was named or in the setting's."""

    async def work(bus: Bus, settings: Settings) -> Reply:
        wish = build(kind, fields | {"namespace": namespace_of(settings, namespace)})
        return await request(bus, subject, wish, reply, WITHIN_S)

    return run(work)
