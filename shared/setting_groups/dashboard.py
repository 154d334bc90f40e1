"""Settings of the dashboard and its door."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.setting_groups.group import Group

PageName = Literal["tasks", "agents", "router", "ops", "sessions", "match", "bus"]


class DashboardSettings(Group):
    """The page and the HTTP door; loopback unless told otherwise.

    As soon as `sovereign access add` has named somebody, everybody must log in, for `session_h`
    hours. Others can reach it by a public `host`, by the names in `hosts`, or through `proxies`
    (addresses or networks whose forwarding headers are believed); then it needs a login, and TLS:
    `tls_cert` with `tls_key`, or a proxy that ends it. `rate` is requests a second of one caller.
    `logo` is an image file, `accent` a colour like #0c6a5b; `pages` are those that are shown.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=1, le=65535)
    name: str = Field(default="Sovereign", min_length=1, max_length=60)
    read_only: bool = False
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    session_h: float = Field(default=12.0, gt=0, le=24 * 365)
    rate: int = Field(default=100, ge=0)
    logo: Path | None = None
    accent: str | None = Field(default=None, pattern=r"^#[0-9a-fA-F]{6}$")
    accent_dark: str | None = Field(default=None, pattern=r"^#[0-9a-fA-F]{6}$")
    pages: tuple[PageName, ...] = (
        "tasks", "agents", "router", "ops", "sessions", "match", "bus",
    )  # fmt: skip
