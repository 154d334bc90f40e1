"""What sessions keep: typed events, never edited; everything else is a fold of them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant, Title
from shared.subjects import Token

SessionKind = Literal[
    "session.opened",
    "session.resumed",
    "session.closed",
    "note",
    "message",
    "task.started",
    "task.done",
    "task.failed",
    "decision",
    "pending.add",
    "pending.done",
    "pending.drop",
    "learning",
    "artifact",
    "state.set",
    "handoff.made",
    "handoff.accepted",
    "session.forgotten",
]

EVENT_LIMIT = 1024 * 1024
"""Bytes of one event as JSON; larger things go to the object store and are named by `artifact`."""


class SessionEvent(Body):
    """One fact of a session.

    `data` by kind: decision {what, why, rejected[], impact, status}; pending.add {owner, due,
    priority}; pending.done|drop {pending: event id}; learning {evidence, confidence 0..1};
    artifact {uri, sha256}; state.set {key, value}; task.done|failed {task_id, state, engine,
    is_llm, seconds}; session.forgotten {seqs} or {all: true}.
    `supersedes` closes an older event of the same session.
    """

    event_id: Token
    namespace: Token
    session_id: Token
    kind: SessionKind
    title: Title
    body: str = Field(default="", max_length=500_000)
    actor: str = Field(default="somebody", max_length=200)
    host: str = ""
    refs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    supersedes: Token | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    at: Instant = Field(default_factory=now)


class SessionAppend(Body):
    """A request on `session.append`. `expected_seq` refuses a stale writer; null takes any.

    While somebody holds a lease on the session, only events with that `lease` are taken.
    """

    namespace: Token
    session_id: Token
    kind: SessionKind
    title: Title
    event_id: Token | None = None
    body: str = Field(default="", max_length=500_000)
    actor: str = Field(default="somebody", max_length=200)
    refs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    supersedes: Token | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    expected_seq: int | None = Field(default=None, ge=0)
    lease: Token | None = None


class SessionAppended(Body):
    """Where the event stands now; `duplicate` when the same `event_id` was there before."""

    event_id: str
    session_id: str
    seq: int
    duplicate: bool = False


class SessionAsk(Body):
    """A request on `session.load` or `session.handoff`.

    `after_seq` and `limit` page through a long session (load only). For a handoff: `summary`
    asks a language model for a summary beside it, `keep` records that it was made, `at_seq` gives
    the document as it was after that event.
    """

    namespace: Token
    session_id: Token
    after_seq: int = Field(default=0, ge=0)
    limit: int = Field(default=1000, ge=1, le=10_000)
    summary: bool = False
    keep: bool = False
    at_seq: int | None = Field(default=None, ge=0)


class SessionListAsk(Body):
    """A request on `session.list`."""

    namespace: Token
    limit: int = Field(default=100, ge=1, le=1000)


class SessionInfo(Body):
    """One session in a list."""

    session_id: str
    namespace: str
    title: str = ""
    status: str = "open"
    events: int = 0
    open_items: int = 0
    first_at: Instant | None = None
    last_at: Instant | None = None


class SessionList(Body):
    """The answer of `session.list`, the latest first."""

    sessions: tuple[SessionInfo, ...] = ()


class StoredEvent(SessionEvent):
    """An event with its stream sequence."""

    seq: int


class SessionLoaded(Body):
    """The answer of `session.load`: events in order; with `more`, ask again after the last seq."""

    session_id: str
    namespace: str
    events: tuple[StoredEvent, ...] = ()
    more: bool = False


class SearchAsk(Body):
    """A request on `session.search`.

    `around`: so many events before and after each hit come with it. `tokens` bounds the whole
    answer, characters / 4; what does not fit is left out, the worst first.
    """

    namespace: Token
    query: str = Field(min_length=1, max_length=2000)
    limit: int = Field(default=10, ge=1, le=200)
    session_id: Token | None = None
    around: int = Field(default=0, ge=0, le=5)
    tokens: int | None = Field(default=None, ge=50, le=200_000)


class SpanLine(Body):
    """An event beside a hit: `step` is its place, before (negative) or after it."""

    event_id: str
    step: int
    kind: str
    actor: str
    title: str


class SearchHit(Body):
    """One event found, with the parts of its score, whose sum the score is."""

    event_id: str
    session_id: str
    kind: str
    title: str
    text: str
    actor: str
    at: Instant
    score: float
    score_parts: dict[str, float] = Field(default_factory=dict)
    around: tuple[SpanLine, ...] = ()
    tokens: int = 0


class SearchReply(Body):
    """The answer of `session.search`, the best first.

    `ways`: `words`, and `vectors` when an embedding model answered in time.
    """

    hits: tuple[SearchHit, ...] = ()
    ways: tuple[str, ...] = ("words",)
    tokens: int = 0
    left_out: int = 0


class HandoffSummary(Body):
    """A language model's summary; every sentence cites an event of the session by its id.

    Sentences that cite nothing that exists were `dropped`. Without a model, `notice` says so.
    """

    text: str = ""
    engine: str = ""
    model: str = ""
    kept: int = 0
    dropped: int = 0
    notice: str = ""


class Handoff(Body):
    """The answer of `session.handoff`: the same session at the same seq gives the same bytes.

    `summary` is not part of the document, and the checksum knows nothing of it.
    """

    session_id: str
    namespace: str
    seq: int
    checksum: str
    markdown: str
    document: dict[str, Any]
    summary: HandoffSummary | None = None


class SessionImport(Body):
    """A request on `session.import`: a document (Markdown, or a handoff as JSON) as facts.

    Without `session_id` the session takes the name of the document.
    """

    namespace: Token
    session_id: Token | None = None
    name: str = Field(min_length=1, max_length=255)
    text: str = Field(max_length=1_500_000)
    lease: Token | None = None


class Misunderstood(Body):
    """A place of an imported document that was kept as a note, and why."""

    line: int
    text: str
    why: str


class SessionImported(Body):
    """The answer of `session.import`: new facts by kind; the same document again adds none.

    `repaired` counts runs of mangled characters; of `not_understood` the first 100 are told.
    """

    session_id: str
    namespace: str
    lines: int
    events: int
    duplicates: int
    repaired: int
    kinds: dict[str, int] = Field(default_factory=dict)
    not_understood: tuple[Misunderstood, ...] = ()
    last_seq: int = 0


class SessionReindexed(Body):
    """The answer of `session.reindex`: the index of the answering instance was built anew."""

    last_seq: int
    events: int
    seconds: float


class SessionForget(Body):
    """A request on `session.forget`: a session, an actor, both, or with `everything` all of it.

    `event_ids` are single facts of the session that is named.
    """

    namespace: Token
    session_id: Token | None = None
    actor: str | None = Field(default=None, min_length=1, max_length=200)
    event_ids: tuple[Token, ...] = Field(default=(), max_length=1000)
    everything: bool = False
    by: str = Field(default="somebody", max_length=200)
    reason: str = Field(default="", max_length=2000)


class SessionForgotten(Body):
    """What was forgotten. `found_after` counts traces that a search found afterwards: 0."""

    namespace: str
    sessions: tuple[str, ...] = ()
    events: int = 0
    tombstones: tuple[str, ...] = ()
    searched_words: int = 0
    found_after: int = 0


class SessionContextAsk(Body):
    """A request on `session.context`: what matters for a task, within a budget of tokens.

    Tokens are estimated as characters / 4.
    """

    namespace: Token
    query: str = Field(default="", max_length=2000)
    session_id: Token | None = None
    tokens: int = Field(default=1500, ge=50, le=100_000)


class SessionContext(Body):
    """The answer of `session.context`: Markdown, each line with the id of its event."""

    namespace: str
    text: str
    tokens: int
    event_ids: tuple[str, ...] = ()
    left_out: int = 0
