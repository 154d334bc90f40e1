"""Settings of the bus."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.setting_groups.group import Group


class NatsSettings(Group):
    """The bus. Without `url`, `sovereign up` starts a server of its own on `port`.

    `replicas` is 1 on one host and 3 on three or more; `sync_interval` is `always` or a duration.
    `nkey_file` holds the seed of this process's user; `auth` gives each service its own user
    on the embedded server; `bootstrap` lets a service declare streams that are not there yet.
    """

    url: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=4222, ge=1, le=65535)
    replicas: Literal[1, 3, 5] = 1
    sync_interval: str = Field(default="always", pattern=r"^(always|\d+(ms|s|m))$")
    max_file: str = Field(default="20GB", pattern=r"^\d+(MB|GB|TB)$")
    nkey_file: Path | None = None
    auth: bool = True
    bootstrap: bool = True
