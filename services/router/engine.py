"""The seam: what every engine offers to the router, and nothing more."""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from shared.errors import EngineFailed
from shared.events import ChatRequest, EmbedRequest, EngineStatus

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


@dataclass(frozen=True, slots=True)
class Vectors:
    """One unit vector for each text, as packed doubles; the other fields are those of `Answer`."""

    embeddings: tuple[array[float], ...]
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    queue_s: float = 0.0
    load_s: float | None = None
    cost_usd: Decimal | None = None
    host: str = ""
    own_host: bool = True


def packed(found: Iterable[Any], count: int, who: str) -> tuple[array[float], ...]:
    """Return the vectors that an engine sent; raise `EngineFailed` unless it is one of each text,
    all of the same length."""
    try:
        vectors = tuple(array("d", vector) for vector in found)
    except (TypeError, ValueError) as error:
        raise EngineFailed(f"{who} sent a vector that is not all numbers") from error
    if len(vectors) != count or len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
        raise EngineFailed(f"{who} did not return one vector for each input")
    return vectors


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

    async def embed(self, request: EmbedRequest) -> Vectors:
        """Return one unit vector for each input; raises typed errors only."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
