"""What was asked before in other words: suggestions for a person, never an answer."""

from __future__ import annotations

from pydantic import Field

from shared.events.base import Body, Instant
from shared.subjects import Token


class SuggestAsk(Body):
    """A request on `model.suggest`. `at_least` is the cosine below which nothing is told."""

    text: str = Field(min_length=1, max_length=20_000)
    tenant: Token = "default"
    limit: int = Field(default=3, ge=1, le=20)
    at_least: float = Field(default=0.8, ge=-1, le=1)


class Suggestion(Body):
    """A question that was answered before, with its answer; `similarity` is a cosine."""

    question: str
    answer: str
    model: str
    similarity: float
    at: Instant


class SuggestReply(Body):
    """The nearest first. `known` is how many questions were compared."""

    suggestions: tuple[Suggestion, ...] = ()
    known: int = 0
