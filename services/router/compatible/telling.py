"""Gathers the chunks of one streamed completion into an answer."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from services.router.engine import Answer
from services.router.prices import Price
from shared.errors import EngineFailed


class Telling:
    """What was told so far, since `began` (monotonic seconds)."""

    def __init__(self, model: str, began: float) -> None:
        self._model = model
        self._began = began
        self._first_s: float | None = None
        self._pieces: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._reason: str | None = None
        self._usage: Any = None

    def take(self, chunk: Any) -> str:
        """Take one chunk in and return the text that it adds."""
        if self._first_s is None:
            self._first_s = time.monotonic() - self._began
        self._usage = getattr(chunk, "usage", None) or self._usage
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self._reason = choice.finish_reason or self._reason
        for call in choice.delta.tool_calls or ():
            self._call(call)
        delta = choice.delta.content or ""
        self._pieces.append(delta)
        return str(delta)

    def ended(self, stream: Any) -> None:
        """Raise when the server never said why it stopped: litellm says `stop` in its place."""
        told = ("received_finish_reason", "intermittent_finish_reason")
        if not any(getattr(stream, name, None) for name in told):
            raise EngineFailed("the server ended the stream without a finish reason")

    def answer(self, host: str, own: bool, price: Price | None) -> Answer:
        """Return the answer; raise when the stream ended before it told why."""
        if self._reason is None:
            raise EngineFailed("the server ended the stream without a finish reason")
        prompt, completion = (
            _count(self._usage, f"{of}_tokens") for of in ("prompt", "completion")
        )
        cached = _count(getattr(self._usage, "prompt_tokens_details", None), "cached_tokens")
        return Answer(
            content="".join(self._pieces),
            model=self._model,
            tool_calls=tuple(self._calls[index] for index in sorted(self._calls)),
            done_reason="length" if self._reason == "length" else "stop",
            prompt_tokens=prompt,
            completion_tokens=completion,
            first_token_s=self._first_s,
            cost_usd=cost(own, price, (prompt, cached), completion),
            host=host,
            own_host=own,
        )

    def _call(self, part: Any) -> None:
        """Add a part of a tool call: the name comes first, the arguments piece by piece."""
        empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        call = self._calls.setdefault(part.index, empty)
        call["id"] = part.id or call["id"]
        call["function"]["name"] = part.function.name or call["function"]["name"]
        call["function"]["arguments"] += part.function.arguments or ""


def cost(
    own: bool, price: Price | None, prompt: tuple[int, int], completion: int
) -> Decimal | None:
    """Return 0 on one's own host, the table's price elsewhere, None when it is unknown; `prompt` is
    its tokens and how many of them the vendor had read before."""
    if own:
        return Decimal(0)
    tokens, cached = prompt
    return price.of(tokens, completion, cached) if price else None


def _count(usage: Any, name: str) -> int:
    return int(getattr(usage, name, 0) or 0)
