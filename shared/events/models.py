"""Model requests and what the router answers and tells."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant, UsDollars
from shared.priorities import PriorityName
from shared.subjects import Token

Role = Literal["system", "user", "assistant", "tool"]
CallKind = Literal["chat", "embed"]


class ChatMessage(Body):
    """One turn; `images` are base64, `tool_calls` as OpenAI shapes them.

    A turn of role `tool` is a tool's result: it names the call (`tool_call_id`) or the tool.
    """

    role: Role
    content: str = ""
    images: tuple[str, ...] = ()
    tool_calls: tuple[dict[str, Any], ...] = ()
    tool_name: str | None = None
    tool_call_id: str | None = None


class ChatOptions(Body):
    """Sampling. `temperature` unset means the model's default and is never cached.

    `top_k` and `min_p` are known to local engines only.
    """

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    max_tokens: int | None = Field(default=None, ge=1, lt=2**31)
    stop: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    top_k: int | None = Field(default=None, ge=0, lt=2**31)
    min_p: float | None = Field(default=None, ge=0, le=1)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)


class ChatRequest(Body):
    """A request on `model.chat`.

    `model` is an alias or a model's name; empty means the configured default.
    `format` is a JSON Schema for the answer, or the word `json`.
    `tools` have OpenAI's shape; `tool_choice` is `auto`, `none`, `required` or a tool's name, and
    the calls come whole in the final reply.
    `source` is the door that it came through, `caller` the name of the key that opened it.
    `think` asks a model that can for its thoughts, or forbids them; unset leaves it to the model.
    With `stream`, chunks come to the reply inbox before the final reply.
    `budget_usd` and `budget_tokens` are what the whole task (`task_id`) may use, reserved before
    each call. `clouds` names the owner's clouds that this request may fall back to.
    With `allow_offline` false, no rules stand in for a model: the answer is `needs_model`.
    """

    messages: tuple[ChatMessage, ...] = Field(min_length=1)
    request_id: Token | None = None
    model: str = Field(default="", max_length=200)
    format: dict[str, Any] | Literal["json"] | None = None
    tools: tuple[dict[str, Any], ...] = ()
    tool_choice: str = Field(default="auto", min_length=1, max_length=64)
    think: bool | Literal["low", "medium", "high"] | None = None
    options: ChatOptions = ChatOptions()
    stream: bool = False
    timeout_s: float = Field(default=300.0, gt=0, le=3600)
    cache: Literal["auto", "off", "always"] = "auto"
    allow_offline: bool = True
    priority: PriorityName = "normal"
    tenant: Token = "default"
    task_id: Token | None = None
    step_id: Token | None = None
    agent: Token | None = None
    budget_usd: UsDollars | None = Field(default=None, ge=0)
    budget_tokens: int | None = Field(default=None, ge=0)
    clouds: tuple[str, ...] = Field(default=(), max_length=20)
    source: Token = "bus"
    caller: Token | None = None


class ModelTimes(Body):
    """Seconds as the engine told them, and `total_s` as the router measured."""

    total_s: float = 0.0
    queue_s: float = 0.0
    first_token_s: float | None = None
    load_s: float | None = None
    prompt_s: float | None = None
    eval_s: float | None = None


class ChatReply(Body):
    """The final answer. Offline answers carry `is_llm: false`, no tokens and no savings.

    `rule` says what chose the model: a rule's name, an alias, a fallback and from what.
    """

    type: Literal["final"] = "final"
    request_id: str
    content: str
    thinking: str = ""
    tool_calls: tuple[dict[str, Any], ...] = ()
    data: Any | None = None
    engine: str
    model: str
    is_llm: bool
    host: str = ""
    done_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    times: ModelTimes = ModelTimes()
    cache: Literal["miss", "hit", "coalesced", "off"] = "off"
    cost_usd: UsDollars | None = None
    notice: str = ""
    rule: str = ""


class ChatChunk(Body):
    """A piece of a streamed answer, in order from 0; one without text only says: still here."""

    type: Literal["chunk"] = "chunk"
    request_id: str
    index: int
    delta: str


class ModelCancel(Body):
    """Take a running request back; told to all routers."""

    request_id: Token
    reason: str = ""


class EmbedRequest(Body):
    """A request on `model.embed`; no text is empty.

    `model` is an alias or a model's name; empty, and `embed`, mean the configured embedding model.
    With `cache` off, every text is asked of the model; `auto` and `always` keep vectors alike, as
    the same text has the same vector. The other fields are those of `ChatRequest`.
    """

    input: tuple[str, ...] = Field(min_length=1, max_length=512)
    model: str = Field(default="", max_length=200)
    dimensions: int | None = Field(default=None, ge=1, le=65_536)
    tenant: Token = "default"
    timeout_s: float = Field(default=60.0, gt=0, le=600)
    request_id: Token | None = None
    cache: Literal["auto", "off", "always"] = "auto"
    priority: PriorityName = "normal"
    task_id: Token | None = None
    step_id: Token | None = None
    agent: Token | None = None
    budget_usd: UsDollars | None = Field(default=None, ge=0)
    budget_tokens: int | None = Field(default=None, ge=0)
    clouds: tuple[str, ...] = Field(default=(), max_length=20)
    source: Token = "bus"
    caller: Token | None = None


class EmbedReply(Body):
    """L2-normalised vectors, one for each input.

    `prompt_tokens` are those of all texts. `kept` of the texts were not asked of a model for this
    request: they were in the cache, in another request in flight, or twice in this one; `cache` is
    `miss` as soon as one was asked. `cost_usd` is what this request paid, null if unknown.
    """

    model: str
    engine: str
    embeddings: tuple[tuple[float, ...], ...]
    prompt_tokens: int = 0
    request_id: str = ""
    host: str = ""
    times: ModelTimes = ModelTimes()
    cache: Literal["miss", "hit", "coalesced", "off"] = "off"
    kept: int = 0
    cost_usd: UsDollars | None = None
    rule: str = ""


EngineState = Literal["ready", "absent", "model_missing", "refused", "offline", "probing"]


class EngineStatus(Body):
    """What answers model requests now. `is_llm` is false for the offline engine."""

    engine: str
    setting: str
    state: EngineState
    is_llm: bool
    model: str = ""
    url: str = ""
    detail: str = ""
    slots: int = 0
    version: str = ""
    at: Instant = Field(default_factory=now)


class CacheEvent(Body):
    """What a cache did with one key; `shared` is the bucket that routers share.

    `of` tells answers from vectors; of a batch of vectors `count` keys went the same way, and
    `key` is the first.
    """

    kind: Literal["hit", "miss", "store", "evict", "coalesced"]
    key: str
    model: str = ""
    engine: str = ""
    agent: str | None = None
    size: int = 0
    entries: int = 0
    tier: Literal["local", "shared"] = "local"
    of: CallKind = "chat"
    count: int = 1
    at: Instant = Field(default_factory=now)


class CostEvent(Body):
    """One model call as recorded. An unknown price is null, never an estimate.

    `saved_usd` = what `reference_model` would have cost for the same tokens, less `cost_usd`.
    Of an embedding (`kind`), what was asked of a model and what was kept are told one by one;
    `texts` counts its inputs.
    """

    request_id: str
    engine: str
    model: str
    is_llm: bool
    cache: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    cost_usd: UsDollars | None = None
    reference_model: str = ""
    saved_usd: UsDollars | None = None
    task_id: str | None = None
    agent: str | None = None
    host: str = ""
    error: str | None = None
    kind: CallKind = "chat"
    texts: int = 0
    at: Instant = Field(default_factory=now)
