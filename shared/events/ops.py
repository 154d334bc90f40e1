"""Commands to supervisors and the record of what ops saw, decided and did."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant
from shared.subjects import Token

Verb = Literal[
    "restart", "drain", "kill", "stop", "start", "quarantine", "release", "circuit", "roll_back",
    "place", "give_back", "declare",
]  # fmt: skip
"""`circuit` has a service refuse requests for a while; `roll_back` puts the last good settings
file back and restarts; `place` and `give_back` start and end a service of another host;
`declare` has the supervisor create streams that are gone."""


class OpsCommand(Body):
    """What a supervisor is told to do with one service of its host.

    Valid only inside a `SignedCommand`, until `expires_at`, once (`nonce`),
    and with a `revision` not below the highest that the supervisor has seen. `for_host` names
    the lost host whose service is placed here.
    """

    command_id: Token
    verb: Verb
    host: Token
    service: Token
    instance: Token | None = None
    reason: str = Field(max_length=2000)
    issued_by: str
    issued_at: Instant
    expires_at: Instant
    nonce: str
    revision: int = Field(ge=0)
    for_host: Token | None = None


class SignedCommand(Body):
    """A command with its Ed25519 signature over the exact bytes of `payload` and the subject.

    `payload` is the JSON of an `OpsCommand`; `signer` the public nkey; `signature` base64.
    """

    payload: str
    signer: str
    signature: str


class CommandReply(Body):
    """What became of a command."""

    command_id: str
    accepted: bool
    detail: str = ""


OpsKind = Literal[
    "started",
    "ready",
    "exited",
    "restarted",
    "quarantined",
    "released",
    "symptom",
    "decision",
    "outcome",
    "recovered",
    "refused",
    "leader",
    "engine",
    "check",
    "stopped",
    "bus",
    "escalated",
    "moved",
    "rolled_back",
    "backup",
]


class OpsEvent(Body):
    """One entry of the OPS record: cause, evidence, decision, outcome, duration in seconds."""

    event_id: str
    kind: OpsKind
    service: str = ""
    instance: str = ""
    host: str = ""
    symptom: str | None = None
    remedy: str | None = None
    cause: str = ""
    evidence: dict[str, Any] = Field(default_factory=dict)
    outcome: str | None = None
    duration_s: float | None = None
    episode: str | None = None
    by: str = ""
    at: Instant = Field(default_factory=now)


class InstanceStatus(Body):
    """One instance as ops sees it. `silent_s` is the time since its last beat."""

    service: str
    instance: str
    host: str
    state: str
    silent_s: float
    uptime_s: float
    loop_lag_s: float
    rss_bytes: int
    cpu_s: float = 0.0
    restarts: int = 0
    symptom: str | None = None
    info: dict[str, Any] = Field(default_factory=dict)


class ServiceRecord(Body):
    """What the record tells of one service on one host since `since`.

    `failures` are crashes, hangs and the like; `mttr_s` the mean seconds from the fault to the
    recovery, null without one; `availability` 0..1 the share of the time that it was not down.
    """

    service: str
    host: str
    failures: int = 0
    recovered: int = 0
    mttr_s: float | None = None
    down_s: float = 0.0
    availability: float = 1.0
    since: Instant


class OpsCheck(Body):
    """One periodic check: what was seen, what to do about it, and what was done already."""

    name: str
    state: Literal["ok", "warn", "fail"] = "ok"
    seen: dict[str, Any] = Field(default_factory=dict)
    advice: str = ""
    fixed: str = ""


class OpsChecks(Body):
    """The answer of `ops.check`: every check, done just now."""

    checks: tuple[OpsCheck, ...] = ()
    at: Instant = Field(default_factory=now)


class Lesson(Body):
    """One remedy for one symptom: outcomes, and the Beta posterior of its success.

    `expected` is the posterior's mean; `low` and `high` bound its middle 90 %.
    """

    symptom: str
    remedy: str
    worked: int = 0
    failed: int = 0
    alpha: float
    beta: float
    expected: float
    low: float
    high: float


class OpsLessons(Body):
    """The answer of `ops.lessons`, in the order of the policy."""

    lessons: tuple[Lesson, ...] = ()
    at: Instant = Field(default_factory=now)


class StreamBackup(Body):
    """One stream inside a backup; `sha256` is of its snapshot's bytes."""

    stream: str
    messages: int
    bytes: int
    sha256: str


class BackupReply(Body):
    """The answer of `ops.backup`: a file on the host of the ops that leads."""

    file: str
    host: str
    bytes: int
    streams: tuple[StreamBackup, ...] = ()
    took_s: float = 0.0
    at: Instant = Field(default_factory=now)


class OpsStatus(Body):
    """The answer of `ops.status`; `reasons` says, a line each, why it is not healthy."""

    leader: str = ""
    revision: int = 0
    instances: tuple[InstanceStatus, ...] = ()
    healthy: bool = True
    reasons: tuple[str, ...] = ()
    actions: int = 0
    last_check: Instant | None = None
    services: tuple[ServiceRecord, ...] = ()
    checks: tuple[OpsCheck, ...] = ()
    at: Instant = Field(default_factory=now)


class OpsAsk(Body):
    """A person's wish on `ops.restart` or `ops.drain`; ops signs the command."""

    service: Token
    instance: Token | None = None
    host: Token | None = None
    reason: str = Field(min_length=1, max_length=2000)
    by: str = "somebody"


class OpsHistoryAsk(Body):
    """Which entries of the record; the newest first."""

    limit: int = Field(default=50, ge=1, le=1000)
    service: Token | None = None
    kind: str | None = None


class OpsHistory(Body):
    """Entries of the record, the newest first."""

    events: tuple[OpsEvent, ...] = ()
