"""Settings of match, ops and sessions."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from shared.setting_groups.group import Group
from shared.subjects import Token


class MatchSettings(Group):
    """Money. `commission` is the platform's share of every payment.

    `offer_days` is how long an offer stands that a client makes on its page.
    """

    commission: Decimal = Field(default=Decimal("0.20"), ge=0, le=1)
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    monthly_target_minor: int = Field(default=2_000_000, ge=0)
    offer_days: float = Field(default=14.0, gt=0, le=3650)


class OpsSettings(Group):
    """Detection and remedies; seconds everywhere.

    `memory_mb` is the memory that a service may use, by its name; without it the limit of its
    control group holds. `circuit_s` is how long a service refuses requests while its circuit is
    open. `roll_back` lets the supervisor put the last good settings file back. `offers` names the
    services that this host takes over from a lost one, and `give_back` returns them.
    `backup_s` is the time between two backups (0 makes none), `backups` how many are kept.
    A person is called at `webhook_url`, signed with `webhook_secret`. `certificates` are watched
    for their end. With `driver = "docker"` the supervisor keeps containers instead of processes.
    """

    beat_s: float = Field(default=1.0, ge=0.1, le=60)
    pause_s: float = Field(default=3.0, ge=0)
    phi: float = Field(default=8.0, gt=0)
    check_s: float = Field(default=300.0, ge=1)
    restarts: int = Field(default=5, ge=1)
    window_s: float = Field(default=30.0, gt=0)
    quarantine_s: float = Field(default=60.0, gt=0)
    drain_s: float = Field(default=10.0, gt=0)
    memory_mb: dict[str, int] = Field(default_factory=dict)
    circuit_s: float = Field(default=15.0, gt=0)
    roll_back: bool = True
    offers: tuple[Token, ...] = ()
    give_back: bool = True
    backup_s: float = Field(default=86_400.0, ge=0)
    backups: int = Field(default=7, ge=1)
    webhook_url: str | None = Field(default=None, pattern=r"^https?://")
    webhook_secret: SecretStr | None = None
    certificates: tuple[Path, ...] = ()
    driver: Literal["process", "docker"] = "process"
    docker_socket: Path = Path("/var/run/docker.sock")


class SessionsSettings(Group):
    """Where notes go that name no namespace, and when a silent session is handed over.

    `idle_s`: after so many seconds without an event a handoff is made; `sweep_s`: how often that,
    and leases that ran out, are looked for. `vectors`: whether an embedding model helps to search.
    """

    namespace: Token = "main"
    idle_s: float = Field(default=3600.0, ge=1)
    sweep_s: float = Field(default=2.0, ge=0.1, le=600)
    vectors: Literal["auto", "off"] = "auto"
