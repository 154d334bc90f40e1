"""Settings: environment over `sovereign.toml` over defaults; a wrong one is one clear line."""

from __future__ import annotations

import os
import re
import socket
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from shared.errors import InvalidSetting
from shared.subjects import Token

PREFIX = "SOVEREIGN_"
CONFIG_VARIABLE = "SOVEREIGN_CONFIG"
LOOPBACK = "http://127.0.0.1:11434"
"""Where Ollama listens unless told otherwise."""
ALLOWED_HOST = r"(\*\.)?[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?"
"""`host`, `*.host`, `host:port`, `[v6]:port`: no path, no user name."""
Engine = Literal["auto", "ollama", "openai", "offline"]
PageName = Literal["tasks", "agents", "router", "ops", "sessions", "match", "bus"]


class Group(BaseModel):
    """Settings of one room; an unknown name is an error."""

    model_config = ConfigDict(extra="forbid")


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


class OllamaHost(Group):
    """One Ollama server of the pool; a bare URL stands for one with the defaults.

    `slots` is its OLLAMA_NUM_PARALLEL (`router.slots` unless given); a host of `weight` 2 is
    given twice the work of its equal; `watts` is what it draws while it answers.
    """

    url: str = Field(min_length=1)
    name: str = Field(default="", max_length=64)
    slots: int | None = Field(default=None, ge=1, le=256)
    weight: float = Field(default=1.0, gt=0, le=1000)
    watts: float | None = Field(default=None, ge=0, le=100_000)

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value


class SpendingLimit(Group):
    """What model calls may cost or use, reserved before each call.

    `of` is whose: each `task`, `agent`, `caller` (API key), `tenant` or `cloud`, only the one
    called `name` if that is set, or `all` together. A task's limit is for its whole life, the
    others for each day or month (UTC).
    """

    of: Literal["task", "agent", "caller", "tenant", "cloud", "all"] = "all"
    name: str = Field(default="", max_length=64)
    per: Literal["day", "month"] = "month"
    usd: Decimal | None = Field(default=None, ge=0, le=1_000_000_000)
    tokens: int | None = Field(default=None, ge=0, le=1_000_000_000_000_000)

    @model_validator(mode="after")
    def _limits(self) -> SpendingLimit:
        if self.usd is None and self.tokens is None:
            raise ValueError("a budget needs usd or tokens")
        return self


class PolicyRule(Group):
    """Which models answer which requests: the first rule that fits decides, before aliases.

    `asked` are names that requests ask for (empty text: none named; an empty list: any);
    the other conditions hold when they are unset. `use` is tried in order; a name may be an alias.
    """

    name: Token
    asked: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    priorities: tuple[Literal["urgent", "high", "normal", "low"], ...] = ()
    min_prompt_tokens: int | None = Field(default=None, ge=0)
    max_prompt_tokens: int | None = Field(default=None, ge=0)
    structured: bool | None = None
    tools: bool | None = None
    images: bool | None = None
    within_s: float | None = Field(default=None, gt=0)
    use: tuple[str, ...] = Field(min_length=1, max_length=10)


class CloudModel(Group):
    """A model of somebody else that the owner allows, by the name that requests use for it.

    `model` is litellm's name (`openai/gpt-4o-mini`). Requests get it when they name it or list it
    in `clouds`; with `always`, aliases, rules and fallbacks may choose it for all requests.
    `usd_per_month` is reserved before each call: a cloud without a known price is refused.
    """

    model: str = Field(min_length=1)
    api_key: SecretStr | None = None
    url: str | None = None
    always: bool = False
    usd_per_month: Decimal = Field(gt=0, le=1_000_000)


class RouterSettings(Group):
    """Where models are, how they are asked, what is kept.

    `ollama_hosts` is a pool of Ollama servers, each a URL or `{url, name, slots, weight, watts}`;
    without it `ollama_url` is the only one.
    `allow_remote` lets prompts leave the host (cloud names, `remote_host`); off by default.
    `num_ctx` is one fixed value a model, since another one reloads it.
    The door speaks OpenAI's and Anthropic's language at `door_port` (0 shuts it). `door_keys` are
    the callers' names and keys; without any it is open to this host alone. `door_rate` is how many
    requests a minute each key may make (0: any number).
    `aliases` and `fallbacks` name a model, or several with commas to be tried in order; the aliases
    `fast` and `smart` are chosen among the models at hand unless they are set here, by what was
    measured if `measured`. `rules` is a list of `{name, asked, agents, priorities,
    min_prompt_tokens, max_prompt_tokens, structured, tools, images, within_s, use}`, `clouds` a
    table of `{model, api_key, url, always, usd_per_month}` by name.
    `budgets` is a list of `{of, name, per, usd, tokens}`.
    `shared_cache` keeps answers on the bus too, for other routers and for the next start.
    `keep_days` and `keep_calls` are what the record holds call by call; older ones are summed up
    by day. `energy_usd_per_kwh` with `watts` prices local answers by the time that they kept a
    host busy.
    """

    ollama_url: str | None = None
    ollama_hosts: tuple[OllamaHost, ...] = Field(default=(), max_length=100)
    budgets: tuple[SpendingLimit, ...] = Field(default=(), max_length=100)
    energy_usd_per_kwh: Decimal | None = Field(default=None, ge=0, le=1000)
    watts: float | None = Field(default=None, ge=0, le=100_000)
    model: str = "llama3.1:8b"
    aliases: dict[str, str] = Field(default_factory=dict)
    fallbacks: dict[str, str] = Field(default_factory=dict)
    rules: tuple[PolicyRule, ...] = Field(default=(), max_length=100)
    clouds: dict[str, CloudModel] = Field(default_factory=dict)
    measured: bool = True
    embed_model: str = "nomic-embed-text"
    openai_url: str | None = None
    openai_model: str = ""
    openai_api_key: SecretStr | None = None
    allow_remote: bool = False
    num_ctx: int = Field(default=8192, ge=512, le=1_048_576)
    max_tokens: int = Field(default=1024, ge=1, le=131_072)
    slots: int = Field(default=1, ge=1, le=256)
    queue: int = Field(default=256, ge=0)
    probe_s: float = Field(default=0.5, gt=0, le=10)
    reprobe_s: float = Field(default=5.0, gt=0, le=60)
    first_token_s: float = Field(default=300.0, gt=0)
    idle_s: float = Field(default=60.0, gt=0)
    keep_alive: str = "30m"
    cache_entries: int = Field(default=1000, ge=0)
    cache_ttl_s: float = Field(default=3600.0, gt=0)
    shared_cache: bool = True
    reference_model: str = "gpt-4o"
    keep_days: int = Field(default=30, ge=1, le=3650)
    keep_calls: int = Field(default=1_000_000, ge=1000)
    door_host: str = "127.0.0.1"
    door_port: int = Field(default=8402, ge=0, le=65535)
    door_keys: dict[Token, SecretStr] = Field(default_factory=dict)
    door_rate: int = Field(default=0, ge=0)
    door_max_bytes: int = Field(default=32 << 20, ge=1024)


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
