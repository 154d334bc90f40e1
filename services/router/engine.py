"""The seam: what every engine offers to the router, and nothing more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from shared.events import ChatRequest, EmbedReply, EmbedRequest, EngineStatus

OnDelta = Callable[[str], Awaitable[None]]
"""Takes the next piece of the answer's text, in order."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. Times are seconds as the engine told them; unknown is None.

    `tool_calls` have OpenAI's shape; `cost_usd` is None when the price is unknown; `own_host` is
    false when the prompt left the owner's hosts; `queue_s` is what an engine with a queue of its
    own made it wait.
    """

    content: str
    model: str
    tool_calls: tuple[dict[str, Any], ...] = ()
    thinking: str = ""
    data: Any | None = None
    done_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    queue_s: float = 0.0
    first_token_s: float | None = None
    load_s: float | None = None
    prompt_s: float | None = None
    eval_s: float | None = None
    cost_usd: Decimal | None = None
    host: str = ""
    own_host: bool = True
    notice: str = ""


class Engine(Protocol):
    """What answers model requests. Names of models arrive resolved and allowed.

    `own` tells whether its endpoint is on the owner's hosts.
    """

    name: str
    is_llm: bool
    own: bool

    async def probe(self) -> EngineStatus:
        """Tell within the probe time whether it can answer; never raises."""
        ...

    async def identity(self, model: str) -> str:
        """Return what changes when the model behind this name changes (a digest), or ''."""
        ...

    async def chat(self, request: ChatRequest, on_delta: OnDelta | None) -> Answer:
        """Answer, telling each piece to `on_delta`; raises typed errors only.

        Cancelling the caller's task closes what was opened upstream.
        """
        ...

    async def embed(self, request: EmbedRequest) -> EmbedReply:
        """Return one unit vector for each input."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
