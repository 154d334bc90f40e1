"""Going on with a session: what its handoff promised is checked, never believed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from services.sessions.fold import Head
from services.sessions.handoff import handoff
from shared.events import Drift, Handoff, SeenArtifact, SessionResume

LARGEST = 1 << 30
"""Bytes of a file whose hash is worth computing."""


def claim_of(ask: SessionResume, head: Head) -> tuple[int, str] | None:
    """Return sequence and checksum of the handoff to check: the given one, else the last made."""
    if ask.seq is not None and ask.checksum is not None:
        return ask.seq, ask.checksum
    for event in reversed(head.handoffs):
        seq, checksum = event.data.get("seq"), event.data.get("checksum")
        if not isinstance(seq, int) or not isinstance(checksum, str):
            continue
        if ask.checksum in (None, checksum) and ask.seq in (None, seq):
            return seq, checksum
    return None


def drift_since(then: Head, now: Head, checksum: str) -> Iterator[Drift]:
    """Yield what changed between the handoff of `then`, which had `checksum`, and `now`."""
    made = handoff(then)
    if made.checksum != checksum:
        line = f"at seq {then.seq} the checksum is {made.checksum[:12]}…, not {checksum[:12]}…: "
        yield Drift(kind="checksum", text=f"{line}something was forgotten or changed since")
    news = now.events - then.events - _handoffs(now, then.seq)
    if news > 0:
        last = now.last.event_id if now.last else ""
        text = f"{news} events came after seq {then.seq}"
        yield Drift(kind="moved_on", text=text, event_id=last)
    for event_id, event in then.pending.items():
        if event_id not in now.pending:
            yield Drift(kind="pending_closed", text=event.title, event_id=event_id)
    for event_id, event in now.pending.items():
        if event_id not in then.pending:
            yield Drift(kind="pending_added", text=event.title, event_id=event_id)


def _handoffs(head: Head, after: int) -> int:
    return sum(event.seq > after for event in head.handoffs)


async def artifact_drift(head: Head, seen: Iterable[SeenArtifact]) -> list[Drift]:
    """Return artifacts that are gone, changed, or out of sight.

    What the asker saw counts; else absolute paths are looked up on this host.
    """
    given = {each.uri: each for each in seen}
    found = []
    for uri, event in sorted(head.artifacts.items()):
        look = given.get(uri) or await asyncio.to_thread(look_at, uri)
        drift = _compared(uri, event.data.get("sha256"), look)
        if drift is not None:
            found.append(drift.model_copy(update={"event_id": event.event_id}))
    return found


def _compared(uri: str, expected: object, look: SeenArtifact | None) -> Drift | None:
    if look is None:
        return Drift(kind="artifact_unchecked", text=f"{uri}: cannot be seen from here")
    if not look.exists:
        return Drift(kind="artifact_missing", text=f"{uri} is not there")
    if expected is None:
        return None
    if look.sha256 is None:
        return Drift(kind="artifact_unchecked", text=f"{uri}: its content could not be read")
    if look.sha256 != expected:
        return Drift(kind="artifact_changed", text=f"{uri} has another content")
    return None


def look_at(uri: str) -> SeenArtifact | None:
    """Return what stands at an absolute path or `file:` URI; None for what is no such thing."""
    parts = urlsplit(uri)
    path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(uri)
    if not path.is_absolute():
        return None
    try:
        if not path.is_file():
            return SeenArtifact(uri=uri, exists=path.exists())
        return SeenArtifact(uri=uri, exists=True, sha256=_digest(path))
    except (OSError, ValueError):
        return None


def _digest(path: Path) -> str | None:
    if path.stat().st_size > LARGEST:
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def report(drift: Iterable[Drift], document: Handoff) -> str:
    """Return the text of the event that records a resumption."""
    rows = [f"- {each.kind}: {each.text}" for each in drift]
    return "\n".join(rows) or f"Everything is as the handoff at {document.seq} says."
