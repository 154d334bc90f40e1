"""A session's life: who writes it, how it ends, forks, merges, goes on, and leaves the house."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.events.base import Body, Instant
from shared.events.sessions import Handoff
from shared.subjects import Token


class SessionParent(Body):
    """A session that another one comes from, up to event `seq`; null means its present end."""

    session_id: Token
    seq: int | None = Field(default=None, ge=1)


class SessionBranch(Body):
    """A request on `session.fork` (one parent) or `session.merge` (two or more).

    The new session sees all that its parents held up to there; nothing is copied.
    """

    namespace: Token
    session_id: Token
    parents: tuple[SessionParent, ...] = Field(min_length=1, max_length=16)
    title: str = Field(default="", max_length=500)
    goal: str = Field(default="", max_length=10_000)
    by: str = Field(default="somebody", max_length=200)


class SessionBranched(Body):
    """Where the new session begins, and from what."""

    session_id: str
    event_id: str
    seq: int
    parents: tuple[SessionParent, ...]


class LeaseAsk(Body):
    """A request on `session.lease`: be the one writer of a session for `seconds`.

    `renew` and `release` name the `lease` that `take` gave.
    """

    namespace: Token
    session_id: Token
    action: Literal["take", "renew", "release"] = "take"
    holder: str = Field(default="somebody", min_length=1, max_length=200)
    lease: Token | None = None
    seconds: float = Field(default=60.0, ge=1, le=3600)


class Lease(Body):
    """Who may write to a session, and until when; also the value in KV bucket `session_leases`.

    `seq` is the session's last event when the lease was taken.
    """

    namespace: Token
    session_id: Token
    lease: Token
    holder: str
    since: Instant
    until: Instant
    seq: int = 0
    state: Literal["held", "released", "expired"] = "held"


class SessionClose(Body):
    """A request on `session.close`: nothing more is coming; a handoff is made."""

    namespace: Token
    session_id: Token
    reason: str = Field(default="", max_length=2000)
    by: str = Field(default="somebody", max_length=200)
    lease: Token | None = None


class SessionClosed(Body):
    """The session is closed; the handoff that was made has this checksum."""

    session_id: str
    seq: int
    handoff: Token
    checksum: str


class SeenArtifact(Body):
    """What whoever resumes found under an artifact's `uri`."""

    uri: str = Field(min_length=1, max_length=4000)
    exists: bool
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class SessionResume(Body):
    """A request on `session.resume`: go on, after checking what the handoff promised.

    `checksum` and `seq` are those of the handoff at hand; without them the last one that was
    made is checked. With `record` false nothing is written.
    """

    namespace: Token
    session_id: Token
    checksum: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    seq: int | None = Field(default=None, ge=1)
    artifacts: tuple[SeenArtifact, ...] = Field(default=(), max_length=1000)
    by: str = Field(default="somebody", max_length=200)
    record: bool = True
    lease: Token | None = None


DriftKind = Literal[
    "checksum",
    "moved_on",
    "pending_closed",
    "pending_added",
    "artifact_missing",
    "artifact_changed",
    "artifact_unchecked",
]


class Drift(Body):
    """One thing that is not as the handoff said, with the event that it is about."""

    kind: DriftKind
    text: str
    event_id: str = ""


class SessionResumed(Body):
    """The answer of `session.resume`: `verified` is null when there was no handoff to check."""

    session_id: str
    namespace: str
    seq: int
    verified: bool | None = None
    drift: tuple[Drift, ...] = ()
    handoff: Handoff


class SessionExport(Body):
    """A request on `session.export`: a session as notes for agents, or as JSON with all events."""

    namespace: Token
    session_id: Token
    form: Literal["notes", "json"] = "notes"


class SessionExported(Body):
    """A document that `session.import` takes back."""

    session_id: str
    name: str
    text: str
    events: int
    seq: int
