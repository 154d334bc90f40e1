"""Settings of the router: hosts of models, rules, clouds and budgets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator

from shared.priorities import PriorityName
from shared.setting_groups.group import Group
from shared.subjects import Token

KEEP_ALIVE = r"^-?(\d+|(\d+(\.\d+)?(ns|us|ms|s|m|h))+)$"
"""A Go duration, or seconds; less than nothing is for ever. Ollama refuses calls with another."""


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
    Of `use` only models count that were measured to answer in `within_s` seconds, and whose answer
    costs at most `within_usd`, as it is reserved before.
    """

    name: Token
    asked: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    priorities: tuple[PriorityName, ...] = ()
    min_prompt_tokens: int | None = Field(default=None, ge=0)
    max_prompt_tokens: int | None = Field(default=None, ge=0)
    structured: bool | None = None
    tools: bool | None = None
    images: bool | None = None
    within_s: float | None = Field(default=None, gt=0)
    within_usd: Decimal | None = Field(default=None, ge=0, le=1_000_000)
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


class ModelServer(Group):
    """A model on an OpenAI-compatible server of the owner's (vLLM, llama-server, LM Studio), by the
    name that requests, aliases, rules and fallbacks use for it.

    `model` is the server's own name for it; `slots` is how many requests it answers at a time
    (`router.slots` unless given). The server stands on a host of the owner's.
    """

    url: str = Field(min_length=1)
    model: str = Field(min_length=1)
    api_key: SecretStr | None = None
    slots: int | None = Field(default=None, ge=1, le=4096)


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
    min_prompt_tokens, max_prompt_tokens, structured, tools, images, within_s, within_usd, use}`,
    `clouds` a table of `{model, api_key, url, always, usd_per_month}` by name, `servers` one of
    `{url, model, api_key, slots}`: OpenAI-compatible servers of your own beside the engine.
    `budgets` is a list of `{of, name, per, usd, tokens}`.
    `shared_cache` keeps answers on the bus too, for other routers and for the next start.
    `embed_cache_entries` vectors, and 32 MB of them, are kept in the process (0: none).
    `reference_model` and `embed_reference_model` are the cloud models that savings compare with.
    `suggestions` remembers questions by meaning (`model.suggest`), which costs a vector each.
    `keep_days` and `keep_calls` are what the record holds call by call; of older ones the sums by
    day stay. `energy_usd_per_kwh` with `watts` prices local answers by the time that they kept a
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
    servers: dict[str, ModelServer] = Field(default_factory=dict)
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
    keep_alive: str = Field(default="30m", pattern=KEEP_ALIVE)
    cache_entries: int = Field(default=1000, ge=0)
    cache_ttl_s: float = Field(default=3600.0, gt=0)
    shared_cache: bool = True
    embed_cache_entries: int = Field(default=10_000, ge=0, le=1_000_000)
    embed_cache_ttl_s: float = Field(default=86_400.0, gt=0)
    suggestions: bool = False
    reference_model: str = "gpt-4o"
    embed_reference_model: str = "text-embedding-3-small"
    keep_days: int = Field(default=30, ge=1, le=3650)
    keep_calls: int = Field(default=1_000_000, ge=1000)
    door_host: str = "127.0.0.1"
    door_port: int = Field(default=8402, ge=0, le=65535)
    door_keys: dict[Token, SecretStr] = Field(default_factory=dict)
    door_rate: int = Field(default=0, ge=0)
    door_max_bytes: int = Field(default=32 << 20, ge=1024)
