"""Reserves before a call, books after it, and refuses what would overrun a budget."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from services.router.budgets.estimate import Amount, estimate
from services.router.engine import Answer
from services.router.prices import Price
from services.router.record import Record, dollars
from shared.clock import now
from shared.errors import BudgetExceeded, EngineFailed, OutputCut, OutputInvalid, TimedOut
from shared.events import BudgetLine, BudgetList, ChatRequest, Empty
from shared.settings import RouterSettings, SpendingLimit

MOST = 10_000
"""Budgets in memory; the least recently used that holds no reservation goes, and is read anew."""
NOTHING = Amount()
COLUMNS = {
    "task": "task_id", "agent": "agent", "caller": "caller", "tenant": "tenant", "cloud": "model",
}  # fmt: skip


class Key(NamedTuple):
    """Whose budget, and for which time (empty: for ever)."""

    of: str
    name: str
    period: str


@dataclass(slots=True)
class State:
    """What is known of one budget."""

    spent: Amount
    limit: SpendingLimit
    reserved: Amount = NOTHING
    refused: int = 0


class Bill:
    """What one call comes to, of at most `most`: nothing until it is told."""

    def __init__(self, most: Amount) -> None:
        self._most = most
        self.amount = NOTHING

    def paid(self, answer: Answer) -> None:
        """Book what the answer used; a cost that is not known counts as reserved."""
        usd = self._most.usd if answer.cost_usd is None else answer.cost_usd
        self.amount = Amount(usd, answer.prompt_tokens + answer.completion_tokens)

    def lost(self) -> None:
        """Book all that was reserved: the call failed at a place that may charge for it."""
        self.amount = self._most


class Budgets:
    """Answers `model.budgets`. What was spent before this start is read from the record once.

    Routers that share a record see each other's spending when they read a budget for the first
    time, and after that only their own.
    """

    def __init__(
        self, settings: RouterSettings, record: Record, prices: dict[str, Price] | None = None
    ) -> None:
        self._settings = settings
        self._limits = settings.budgets + _clouds(settings)
        self._prices = prices or {}
        self._record = record
        self._states: OrderedDict[Key, State] = OrderedDict()

    @asynccontextmanager
    async def hold(self, request: ChatRequest) -> AsyncIterator[Bill]:
        """Reserve in every budget of the request; raise `BudgetExceeded` if one is too full.

        The body tells the bill what it really was; what failed frees its reservation, unless it
        failed in a cloud after it was sent.
        """
        price = self._prices.get(request.model)
        most = estimate(request, self._settings.max_tokens, price)
        states = [await self._state(key, limit) for key, limit in self._concerned(request)]
        for state in states:
            _check(state, most)
        for state in states:
            state.reserved = state.reserved.plus(most)
        bill = Bill(most)
        try:
            yield bill
        except (EngineFailed, OutputCut, OutputInvalid, TimedOut, asyncio.CancelledError):
            if price is not None:
                bill.lost()
            raise
        finally:
            for state in states:
                state.reserved = state.reserved.minus(most)
                state.spent = state.spent.plus(bill.amount)

    async def list_budgets(self, _: Empty) -> BudgetList:
        """Return the budgets in use."""
        for key, limit in self._concerned(None):
            await self._state(key, limit)
        lines = [_line(key, state) for key, state in self._states.items()]
        return BudgetList(lines=tuple(sorted(lines, key=_share, reverse=True)[:200]))

    def _concerned(self, request: ChatRequest | None) -> list[tuple[Key, SpendingLimit]]:
        """Return the budgets of a request; without one, those that have a fixed name."""
        found = [
            (Key(limit.of, name, _period(limit)), limit)
            for limit in self._limits
            if (name := _name(limit, request)) is not None
        ]
        return found + (_own(request) if request else [])

    async def _state(self, key: Key, limit: SpendingLimit) -> State:
        state = self._states.get(key)
        if state is None:
            spent = await self._spent(key)
            state = self._states.setdefault(key, State(spent, limit))
            self._forget()
        state.limit = limit
        self._states.move_to_end(key)
        return state

    async def _spent(self, key: Key) -> Amount:
        """Return what the record has: whole days that were summed up count too."""
        table = "calls" if key.of == "task" else "history"
        where, values = ["at >= ?"], [key.period]
        if key.of in COLUMNS:
            where.append(f"{COLUMNS[key.of]} = ?")
            values.append(key.name)
        query = (
            "SELECT SUM(cost_pico) AS cost, SUM(prompt_tokens + completion_tokens) AS tokens"  # noqa: S608 - our own names
            f" FROM {table} WHERE (error IS NULL OR cost_pico > 0)"
            f" AND cache NOT IN ('hit', 'coalesced') AND {' AND '.join(where)}"
        )
        row: Any = (await self._record.rows(query, *values))[0]
        return Amount(dollars(row["cost"] or 0) or Decimal(0), int(row["tokens"] or 0))

    def _forget(self) -> None:
        """Let old budgets go; their spending is on the record."""
        for key in list(self._states):
            if len(self._states) <= MOST:
                return
            if self._states[key].reserved == NOTHING:
                del self._states[key]


def _name(limit: SpendingLimit, request: ChatRequest | None) -> str | None:
    """Return whose budget a limit is for this request, or None when it does not concern it."""
    if limit.of == "all":
        return ""
    if request is None:
        return limit.name or None
    name: str | None = getattr(request, COLUMNS[limit.of])
    return name if name and limit.name in ("", name) else None


def _clouds(settings: RouterSettings) -> tuple[SpendingLimit, ...]:
    """Return the budget that each cloud must have."""
    return tuple(
        SpendingLimit(of="cloud", name=name, usd=cloud.usd_per_month)
        for name, cloud in settings.clouds.items()
    )


def _own(request: ChatRequest) -> list[tuple[Key, SpendingLimit]]:
    """Return the budget that the request brings for its task."""
    usd, tokens = request.budget_usd, request.budget_tokens
    if request.task_id is None or (usd is None and tokens is None):
        return []
    limit = SpendingLimit(of="task", usd=usd, tokens=tokens)
    return [(Key("task", request.task_id, ""), limit)]


def _period(limit: SpendingLimit) -> str:
    if limit.of == "task":
        return ""
    return now().date().isoformat()[: 10 if limit.per == "day" else 7]


def _check(state: State, most: Amount) -> None:
    """Raise when the reservation does not fit any more."""
    limit, held = state.limit, state.spent.plus(state.reserved)
    whose = f"{limit.of} {limit.name}".strip()
    over_usd = limit.usd is not None and held.usd + most.usd > limit.usd and most.usd > 0
    spent_usd = limit.usd is not None and held.usd >= limit.usd and held.usd > 0
    over_tokens = limit.tokens is not None and held.tokens + most.tokens > limit.tokens
    if not (over_usd or spent_usd or over_tokens):
        return
    state.refused += 1
    told = (
        f"{held.tokens} of {limit.tokens} tokens are used or reserved, and up to {most.tokens}"
        " more would be"
        if over_tokens
        else f"{held.usd:f} of {limit.usd} USD are spent or reserved, and up to {most.usd:f} more"
        " would be"
    )
    raise BudgetExceeded(
        f"the budget of {whose} does not reach: {told}", field=f"budget.{limit.of}"
    )


def _line(key: Key, state: State) -> BudgetLine:
    return BudgetLine(
        of=state.limit.of,
        name=key.name,
        period=key.period,
        limit_usd=state.limit.usd,
        spent_usd=state.spent.usd,
        reserved_usd=state.reserved.usd,
        limit_tokens=state.limit.tokens,
        spent_tokens=state.spent.tokens,
        reserved_tokens=state.reserved.tokens,
        refused=state.refused,
    )


def _share(line: BudgetLine) -> float:
    """Return how full a budget is."""
    money = float(line.spent_usd / line.limit_usd) if line.limit_usd else 0.0
    return max(money, line.spent_tokens / line.limit_tokens if line.limit_tokens else 0.0)
