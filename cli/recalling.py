"""Sessions over the bus: list, show, append, search, hand off, import."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson
import typer

from cli.attachments import read
from cli.connection import request, run
from cli.output import clean_block, cut, emit_json, pairs, say, table, tell
from cli.wishes import build, namespace_of, person
from shared.bus import Bus
from shared.errors import InvalidInput
from shared.events.sessions import (
    Handoff,
    SearchAsk,
    SearchReply,
    SessionAppend,
    SessionAppended,
    SessionAsk,
    SessionImport,
    SessionImported,
    SessionList,
    SessionListAsk,
    SessionLoaded,
    StoredEvent,
)
from shared.settings import Settings

SEARCH_S = 15.0
IMPORT_S = 60.0
SUMMARY_S = 130.0


def list_sessions(limit: int, namespace: str | None, as_json: bool) -> None:
    """Print the sessions of a namespace."""

    async def work(bus: Bus, settings: Settings) -> SessionList:
        wish = build(
            SessionListAsk, {"namespace": namespace_of(settings, namespace), "limit": limit}
        )
        return await request(bus, "session.list", wish, SessionList)

    found = run(work)
    if as_json:
        emit_json(found)
    elif found.sessions:
        columns = ("session", "status", "events", "open", "last", "title")
        rows = [
            (s.session_id, s.status, s.events, s.open_items, _at(s.last_at), cut(s.title, 60))
            for s in found.sessions
        ]
        table(columns, rows)
    else:
        say("no sessions yet: sovereign session append first-one 'We begin' opens one")


def show_session(session: str, namespace: str | None, as_json: bool) -> None:
    """Print every event of a session, page after page."""

    async def work(bus: Bus, settings: Settings) -> list[StoredEvent]:
        return await _events(bus, namespace_of(settings, namespace), session)

    events = run(work)
    if as_json:
        emit_json({"session_id": session, "events": events})
        return
    for event in events:
        tell(f"{_at(event.at)}  {event.kind}  {event.title}  ({event.actor})")
        if event.body:
            typer.echo("    " + clean_block(event.body.strip("\n")).replace("\n", "\n    "))


async def _events(bus: Bus, namespace: str, session: str) -> list[StoredEvent]:
    events: list[StoredEvent] = []
    while True:
        after = events[-1].seq if events else 0
        fields = {"namespace": namespace, "session_id": session, "after_seq": after}
        page = await request(bus, "session.load", build(SessionAsk, fields), SessionLoaded)
        events += page.events
        if not page.more or not page.events:
            return events


def append(fields: dict[str, Any], namespace: str | None, as_json: bool) -> None:
    """Add one event and print its id."""
    body = sys.stdin.read() if fields["body"] == "-" else fields["body"]
    given = fields | {"body": body, "data": _object(fields["data"]), "actor": person()}

    async def work(bus: Bus, settings: Settings) -> SessionAppended:
        wish = build(SessionAppend, given | {"namespace": namespace_of(settings, namespace)})
        return await request(bus, "session.append", wish, SessionAppended)

    added = run(work)
    if as_json:
        emit_json(added)
        return
    tell(added.event_id)
    say("the same id was there before" if added.duplicate else f"stored at {added.seq}")


def search(fields: dict[str, Any], namespace: str | None, as_json: bool) -> None:
    """Print what was found."""

    async def work(bus: Bus, settings: Settings) -> SearchReply:
        wish = build(SearchAsk, fields | {"namespace": namespace_of(settings, namespace)})
        return await request(bus, "session.search", wish, SearchReply, SEARCH_S)

    found = run(work)
    if as_json:
        emit_json(found)
    elif found.hits:
        rows = [
            (f"{hit.score:.2f}", _at(hit.at), hit.session_id, hit.kind, cut(hit.title, 80))
            for hit in found.hits
        ]
        table(("score", "at", "session", "kind", "title"), rows)
        for hit in found.hits:
            for line in hit.around:
                say(f"{hit.event_id} {line.step:+d}: {line.actor}: {cut(line.title, 80)}")
        if found.left_out:
            say(f"{found.left_out} more did not fit into the budget")
    else:
        say("nothing found")


def handoff(
    fields: dict[str, Any], output: Path | None, namespace: str | None, as_json: bool
) -> None:
    """Print or write the handoff document of a session."""

    async def work(bus: Bus, settings: Settings) -> Handoff:
        wish = build(SessionAsk, fields | {"namespace": namespace_of(settings, namespace)})
        within_s = SUMMARY_S if fields["summary"] else SEARCH_S
        return await request(bus, "session.handoff", wish, Handoff, within_s)

    document = run(work)
    if output is not None:
        output.write_text(document.markdown, encoding="utf-8")
        say(f"{output}: {document.checksum}")
    elif not as_json:
        typer.echo(clean_block(document.markdown.rstrip("\n")))
    if as_json:
        emit_json(document)


def import_file(path: Path, session: str | None, namespace: str | None, as_json: bool) -> None:
    """Hand a document to sessions, which makes events of it."""
    file = read(path)

    async def work(bus: Bus, settings: Settings) -> SessionImported:
        fields = {"session_id": session, "name": file.name, "text": _utf8(file.data, file.name)}
        wish = build(SessionImport, fields | {"namespace": namespace_of(settings, namespace)})
        return await request(bus, "session.import", wish, SessionImported, IMPORT_S)

    done = run(work)
    if as_json:
        emit_json(done)
    else:
        _show_import(done)


def _show_import(done: SessionImported) -> None:
    pairs(
        [
            ("session", done.session_id),
            ("facts", f"{done.events} new, {done.duplicates} were there before"),
            ("kinds", ", ".join(f"{count} {kind}" for kind, count in done.kinds.items())),
            ("read", f"{done.lines} lines, {done.repaired} runs of mangled characters repaired"),
        ]
    )
    for place in done.not_understood:
        say(f"line {place.line}: {cut(place.text, 60)}: {place.why}")
    say(f"next: sovereign session handoff {done.session_id}")


def _utf8(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InvalidInput(f"FILE: {name} is not UTF-8 text", field="FILE") from None


def _object(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"--data: not JSON: {error}", field="--data") from None
    if not isinstance(value, dict):
        raise InvalidInput("--data: must be a JSON object", field="--data")
    return value


def _at(instant: Any) -> str:
    return "-" if instant is None else f"{instant.astimezone():%Y-%m-%d %H:%M}"
