"""Commands to supervisors and the record of what ops saw, decided and did."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant
from shared.subjects import Token

Verb = Literal["restart", "drain", "kill", "stop", "start", "quarantine", "release"]


class OpsCommand(Body):
    """What a supervisor is told to do with one service of its host.

    Valid only inside a `SignedCommand`, until `expires_at`, once (`nonce`),
    and with a `revision` not below the highest that the supervisor has seen.
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


class OpsStatus(Body):
    """The answer of `ops.status`; `reasons` says, a line each, why it is not healthy."""

    leader: str = ""
    revision: int = 0
    instances: tuple[InstanceStatus, ...] = ()
    healthy: bool = True
    reasons: tuple[str, ...] = ()
    actions: int = 0
    last_check: Instant | None = None
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
