"""What model calls may cost or use, and what they have used."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.clock import now
from shared.events.base import Body, Instant, UsDollars

BudgetScope = Literal["task", "agent", "caller", "tenant", "cloud", "all"]


class BudgetLine(Body):
    """One budget that was asked for: `spent` is on the record, `reserved` is in flight.

    `period` is a day (2026-11-23), a month (2026-11), or empty for a task's whole life.
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


class BudgetList(Body):
    """The answer of `model.budgets`: those used since the router started, the fullest first."""

    lines: tuple[BudgetLine, ...] = ()
    at: Instant = Field(default_factory=now)
