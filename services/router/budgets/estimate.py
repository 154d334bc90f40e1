"""What a request may come to at most: the amount that is reserved before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import orjson

from services.router.prices import Price
from shared.events import ChatRequest, EmbedRequest

BYTES_PER_TOKEN = 3
"""Fewer than the four of English text: a reservation should rather be too large."""
TOKENS_PER_MESSAGE = 8
TOKENS_PER_IMAGE = 1500

Spending = ChatRequest | EmbedRequest
"""What says whose it is, and what its task may use."""


@dataclass(frozen=True, slots=True)
class Amount:
    """US dollars and tokens; `answer` of these are the answer's, where that is known."""

    usd: Decimal = Decimal(0)
    tokens: int = 0
    answer: int = 0

    def plus(self, other: Amount) -> Amount:
        """Return the sum."""
        return Amount(self.usd + other.usd, self.tokens + other.tokens, self.answer + other.answer)

    __add__ = plus

    def minus(self, other: Amount) -> Amount:
        """Return the difference."""
        return Amount(self.usd - other.usd, self.tokens - other.tokens, self.answer - other.answer)

    def larger(self, other: Amount) -> Amount:
        """Return the larger of both, of money and of tokens."""
        return Amount(max(self.usd, other.usd), max(self.tokens, other.tokens))


NOTHING = Amount()


def estimate(request: Spending, max_tokens: int, price: Price | None) -> Amount:
    """Return the most that an answer should use; without a price it costs nothing (local)."""
    if isinstance(request, EmbedRequest):
        texts = text_tokens(request)
        return Amount(price.of(texts, 0) if price else Decimal(0), texts)
    prompt = prompt_tokens(request)
    answer = request.options.max_tokens or max_tokens
    return Amount(price.of(prompt, answer) if price else Decimal(0), prompt + answer, answer)


def text_tokens(request: EmbedRequest) -> int:
    """Return how many tokens the texts to embed should have, rather too many."""
    texts = sum(len(text.encode()) for text in request.input)
    return texts // BYTES_PER_TOKEN + TOKENS_PER_MESSAGE * len(request.input)


def prompt_tokens(request: ChatRequest) -> int:
    """Return how many tokens the prompt should have, rather too many."""
    texts = sum(len(message.content.encode()) for message in request.messages)
    pictures = sum(len(message.images) for message in request.messages)
    calls = [message.tool_calls for message in request.messages if message.tool_calls]
    shaped = bool(request.format or request.tools or calls)
    extra = len(orjson.dumps([request.format, request.tools, calls])) if shaped else 0
    return (
        (texts + extra) // BYTES_PER_TOKEN
        + TOKENS_PER_MESSAGE * len(request.messages)
        + TOKENS_PER_IMAGE * pictures
    )
