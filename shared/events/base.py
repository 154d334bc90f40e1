"""What all bodies have in common."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints


class Body(BaseModel):
    """A JSON body of the bus: unknown fields are tolerated, values never change."""

    model_config = ConfigDict(extra="ignore", frozen=True)


Instant = AwareDatetime
"""An instant with its zone; written in UTC."""

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
"""A line for people; blank is refused."""


class Reason(Body):
    """Why something ended or waits: a code for programs, a line for people."""

    code: str
    message: str
    field: str | None = None


class Money(Body):
    """An amount in the currency's minor units (cents), so that sums are exact."""

    minor: int = Field(strict=True)
    currency: str = Field(pattern=r"^[A-Z]{3}$")


class Usage(Body):
    """Tokens as the engine counted them, and calls; offline answers count no tokens."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    cached_calls: int = 0

    def plus(self, other: Usage) -> Usage:
        """Return the sum of both."""
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            calls=self.calls + other.calls,
            cached_calls=self.cached_calls + other.cached_calls,
        )


UsDollars = Annotated[Decimal, Field(description="US dollars, exact; never a float")]
