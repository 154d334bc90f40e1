"""What model calls may cost or use, and what they have used."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant, UsDollars

BudgetScope = Literal["task", "agent", "caller", "tenant", "cloud", "all"]


class BudgetLine(Body):
    """One budget that was asked for: `spent` is on the record, `reserved` is in flight.

    Both are the sums of all routers that count together; `elsewhere` is what other hosts spent
    of it. `period` is a day (2026-11-23), a month (2026-11), or empty for a task's whole life.
    """

    of: BudgetScope
    name: str = ""
    period: str = ""
    limit_usd: UsDollars | None = None
    spent_usd: UsDollars
    reserved_usd: UsDollars
    limit_tokens: int | None = None
    spent_tokens: int = 0
    reserved_tokens: int = 0
    refused: int = 0
    elsewhere_usd: UsDollars = Decimal(0)
    elsewhere_tokens: int = 0


class BudgetShare(Body):
    """What one run of a router, from its start to its end, spent and has reserved of one budget.

    An entry of the bucket `budgets` under `<of>.<hash of the name>.<period, or ->.<run>`. What was
    spent only grows; `number` rises with each entry that a run writes.
    """

    number: int = Field(ge=0)
    spent_usd: UsDollars = Field(ge=0)
    spent_tokens: int = Field(ge=0)
    reserved_usd: UsDollars = Field(default=Decimal(0), ge=0)
    reserved_tokens: int = Field(default=0, ge=0)
    host: str = ""


class BudgetList(Body):
    """The answer of `model.budgets`: those used since the router started, the fullest first.

    `routers` count together now; `alone` says why this one counts by itself, if it does.
    """

    lines: tuple[BudgetLine, ...] = ()
    routers: int = 1
    alone: str = ""
    at: Instant = Field(default_factory=now)
