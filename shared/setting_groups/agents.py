"""Settings of the agents, with the MCP servers that they may ask."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from shared.setting_groups.group import Group
from shared.subjects import Token

ALLOWED_HOST = r"(\*\.)?[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?"
"""`host`, `*.host`, `host:port`, `[v6]:port`: no path, no user name."""


class McpServer(Group):
    """A server of tools in the Model Context Protocol; agents name its tools `name__tool`.

    It is started by `command` (a list of words, spoken to over stdio) or asked at `url`
    (streamable HTTP). `allow` names the tools that are taken from it, `*` all. `effect` is what
    repeating a call does: `pure`, `idempotent` or `once`, for single tools in `effects`; what a
    server says of itself is not believed. `env` is added to the few variables that it is given.
    """

    name: Token
    command: tuple[str, ...] = ()
    url: str | None = Field(default=None, pattern=r"^https?://")
    allow: tuple[str, ...] = Field(min_length=1)
    effect: Literal["pure", "idempotent", "once"] = "once"
    effects: dict[str, Literal["pure", "idempotent", "once"]] = Field(default_factory=dict)
    env: dict[str, str] = Field(default_factory=dict)
    timeout_s: float = Field(default=20.0, gt=0, le=600)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.command) == (self.url is not None):
            raise ValueError(f"{self.name}: give either command or url")
        return self


class AgentsSettings(Group):
    """The crew. `ack_wait_s` is how long a silent worker keeps its step.

    `context`: which tasks are shown what sessions know, in at most `context_tokens` tokens.
    `folder` holds agents of your own, a YAML file each. `fetch_allow` names the hosts that the
    tool `http_fetch` may ask (`host`, `*.host`, `host:port`), none by default; names that lead into
    a private network are refused all the same unless `fetch_private` is set. `mcp` lists servers
    of tools: `{name, command | url, allow, effect, effects, env, timeout_s}`.
    With `interop`, clients of the Synadia Agent Protocol find and prompt the crew.
    """

    ack_wait_s: float = Field(default=4.0, ge=1, le=600)
    max_deliver: int = Field(default=5, ge=1, le=100)
    slots: int = Field(default=2, ge=1, le=64)
    folder: Path | None = None
    interop: bool = True
    context: Literal["named", "always", "never"] = "named"
    context_tokens: int = Field(default=1000, ge=50, le=100_000)
    fetch_allow: tuple[str, ...] = ()
    fetch_private: bool = False
    mcp: tuple[McpServer, ...] = Field(default=(), max_length=32)

    @field_validator("fetch_allow")
    @classmethod
    def _hosts(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [each for each in entries if not re.fullmatch(ALLOWED_HOST, each)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no host, *.host or host:port")
        return entries
