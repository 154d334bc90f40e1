"""Settings: environment over `sovereign.toml` over defaults; a wrong one is one clear line."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from shared.errors import InvalidSetting
from shared.setting_groups.agents import AgentsSettings, McpServer
from shared.setting_groups.bus import NatsSettings
from shared.setting_groups.dashboard import DashboardSettings
from shared.setting_groups.group import Group
from shared.setting_groups.rooms import MatchSettings, OpsSettings, SessionsSettings
from shared.setting_groups.router import (
    CloudModel,
    ModelServer,
    OllamaHost,
    PolicyRule,
    RouterSettings,
    SpendingLimit,
)
from shared.subjects import Token

__all__ = [
    "PREFIX", "AgentsSettings", "CloudModel", "DashboardSettings", "Group", "MatchSettings",
    "McpServer", "ModelServer", "NatsSettings", "OllamaHost", "OpsSettings", "PolicyRule",
    "RouterSettings", "SessionsSettings", "Settings", "SpendingLimit", "config_file",
    "host_name", "host_token", "load",
]  # fmt: skip

PREFIX = "SOVEREIGN_"
CONFIG_VARIABLE = "SOVEREIGN_CONFIG"
LOOPBACK = "http://127.0.0.1:11434"
"""Where Ollama listens unless told otherwise."""
Engine = Literal["auto", "ollama", "openai", "offline"]


class Settings(BaseSettings):
    """All settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", validate_default=False
    )

    engine: Engine = "auto"
    host: Token = Field(default_factory=lambda: host_name())
    instance: Token | None = None
    data_dir: Path = Path("data")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    nats: NatsSettings = NatsSettings()
    router: RouterSettings = RouterSettings()
    agents: AgentsSettings = AgentsSettings()
    match: MatchSettings = MatchSettings()
    ops: OpsSettings = OpsSettings()
    sessions: SessionsSettings = SessionsSettings()
    dashboard: DashboardSettings = DashboardSettings()

    @model_validator(mode="before")
    @classmethod
    def _engine_of_router(cls, values: Any) -> Any:
        """Take `router.engine` for `engine`, since both places are natural."""
        router = values.get("router") if isinstance(values, dict) else None
        if isinstance(router, dict) and "engine" in router:
            router = dict(router)
            engine = router.pop("engine")
            values = {"engine": engine, **values, "router": router}
        return values

    @property
    def nats_url(self) -> str:
        """The server to connect to: the named one, or the embedded one."""
        return self.nats.url or f"nats://{self.nats.host}:{self.nats.port}"

    @property
    def ollama_url(self) -> str:
        """The first Ollama server: the setting, else `OLLAMA_HOST`, else loopback."""
        return self.ollama_pool[0].url

    @property
    def ollama_pool(self) -> tuple[OllamaHost, ...]:
        """All Ollama servers, each with a whole URL."""
        only = OllamaHost(url=self.router.ollama_url or os.environ.get("OLLAMA_HOST") or LOOPBACK)
        return tuple(
            host.model_copy(update={"url": _ollama_url(host.url)})
            for host in self.router.ollama_hosts or (only,)
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order: arguments, environment, file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


def host_name() -> str:
    """Return this machine's name as a token."""
    return host_token(socket.gethostname())


def host_token(name: str) -> str:
    """Return a machine's name as a token: its first part, other characters become `-`."""
    first = name.split(".")[0]
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in first)
    return kept[:64] or "host"


def config_file() -> Path:
    """Return the settings file: `SOVEREIGN_CONFIG`, else `sovereign.toml` in this folder."""
    return Path(os.environ.get(CONFIG_VARIABLE, "sovereign.toml"))


def load(**overrides: Any) -> Settings:
    """Return the settings; raise `InvalidSetting` with one line that names the variable."""
    _refuse_unknown_variables()
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise InvalidSetting(_line(error), field=_variable(error)) from None
    except ValueError as error:
        raise InvalidSetting(f"{config_file()}: {error}") from None


def _ollama_url(value: str | None) -> str:
    """Return a whole URL for what `OLLAMA_HOST` may hold: host, host:port, URL, 0.0.0.0."""
    if not value:
        return LOOPBACK
    scheme, _, rest = value.rpartition("://")
    host, _, port = rest.rstrip("/").partition(":")
    host = "127.0.0.1" if host in ("", "0.0.0.0") else host  # noqa: S104 - a name to connect to
    default = {"http": "80", "https": "443"}.get(scheme, "11434")
    return f"{scheme or 'http'}://{host}:{port or default}"


def _variable(error: ValidationError) -> str:
    path = [str(part) for part in error.errors()[0]["loc"]]
    return PREFIX + "__".join(part.upper() for part in path)


def _line(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{_variable(error)}: {first['msg']} (got {first['input']!r})"[:300]


def _refuse_unknown_variables() -> None:
    """Raise for a misspelt `SOVEREIGN_…` variable: silence would hide it."""
    for variable in os.environ:
        if variable.startswith(PREFIX) and variable != CONFIG_VARIABLE and not _known(variable):
            raise InvalidSetting(f"{variable}: no such setting", field=variable)


def _known(variable: str) -> bool:
    parts = variable.removeprefix(PREFIX).lower().split("__")
    if parts in (["router", "engine"], ["parent_pid"], ["supervised"]):
        return True
    model: Any = Settings
    for position, part in enumerate(parts):
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return position > 1
        if part not in model.model_fields:
            return False
        model = model.model_fields[part].annotation
    return True
