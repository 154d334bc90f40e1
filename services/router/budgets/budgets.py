"""Reserves before a call, books after it, and refuses what would overrun a budget."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal

from services.router.budgets.bill import Bill, Pots, free
from services.router.budgets.estimate import NOTHING, Amount, Spending, estimate
from services.router.budgets.sharing import Sharing
from services.router.budgets.tally import Key, Tally
from services.router.prices import Price
from services.router.record import Record, dollars
from shared.clock import now
from shared.errors import EngineFailed, OutputCut, OutputInvalid, TimedOut
from shared.events import BudgetLine, BudgetList, Empty
from shared.settings import RouterSettings, SpendingLimit

MOST = 2000
"""Budgets in memory, about 4 kB each; the least recently used that holds no reservation goes, and
is read anew."""
COLUMNS = {
    "task": "task_id", "agent": "agent", "caller": "caller", "tenant": "tenant", "cloud": "model",
}  # fmt: skip


class Budgets:
    """Answers `model.budgets`. What was spent before this start is read from the record once.

    Every run of a router counts its own calls; a budget is the sum of all runs, those of the own
    record and, with `sharing`, those that other routers tell of. Each run counts once.
    """

    def __init__(
        self,
        settings: RouterSettings,
        record: Record,
        prices: dict[str, Price] | None = None,
        sharing: Sharing | None = None,
    ) -> None:
        self._settings = settings
        self._limits = settings.budgets + _clouds(settings)
        self._prices = prices or {}
        self._record = record
        self._sharing = sharing
        self._tallies: OrderedDict[Key, Tally] = OrderedDict()
        self._opening: dict[Key, asyncio.Lock] = {}

    @asynccontextmanager
    async def hold(self, request: Spending) -> AsyncIterator[Bill]:
        """Reserve in every budget of the request; raise `BudgetExceeded` if one is too full.

        The body tells the bill what an attempt really was, and asks it before it makes another.
        What failed frees its reservation, unless it failed in a cloud after it was sent.
        """
        at = now()
        wanted = self._concerned(request, at)
        bill = await self._open(request, wanted, at) if wanted else free()
        if wanted:
            await bill.begin(self._most(request))
        try:
            yield bill
        except (EngineFailed, OutputCut, OutputInvalid, TimedOut, asyncio.CancelledError):
            bill.lost()
            raise
        finally:
            bill.close()

    async def list_budgets(self, _: Empty) -> BudgetList:
        """Return the budgets in use."""
        for key, limit in self._concerned(None, now()).items():
            await self._tally(key, limit)
        lines = [_line(key, tally) for key, tally in self._tallies.items()]
        return BudgetList(
            lines=tuple(sorted(lines, key=_share, reverse=True)[:200]),
            routers=self._sharing.peers.count if self._sharing else 1,
            alone=self._sharing.alone if self._sharing else "",
        )

    async def _open(
        self, request: Spending, wanted: Mapping[Key, SpendingLimit], at: datetime
    ) -> Bill:
        tallies = [(key, await self._tally(key, limit)) for key, limit in wanted.items()]
        charged = request.model in self._prices
        return Bill(Pots(tallies, self._sharing), self._most, at, charged=charged)

    def _most(self, request: Spending) -> Amount:
        """Return the most that a request should come to."""
        return estimate(request, self._settings.max_tokens, self._prices.get(request.model))

    def _concerned(self, request: Spending | None, at: datetime) -> dict[Key, SpendingLimit]:
        """Return the budgets of a request; without one, those that have a fixed name.

        Of several limits of one budget the lower ones hold.
        """
        found: dict[Key, SpendingLimit] = {}
        for limit in (*self._limits, *_own(request)):
            name = _name(limit, request)
            if name is not None:
                key = Key(limit.of, name, _period(limit, at))
                found[key] = _lower(found[key], limit) if key in found else limit
        return found

    async def _tally(self, key: Key, limit: SpendingLimit) -> Tally:
        tally = self._tallies.get(key)
        if tally is None:
            try:
                async with self._opening.setdefault(key, asyncio.Lock()):
                    tally = self._tallies.get(key) or await self._first(key, limit)
            finally:
                self._opening.pop(key, None)
        tally.limit = limit
        self._tallies.move_to_end(key)
        return tally

    async def _first(self, key: Key, limit: SpendingLimit) -> Tally:
        """Return a budget as record and bucket know it."""
        sharing = self._sharing
        host, live = (sharing.host, sharing.peers.live) if sharing else ("", _nobody)
        tally = Tally(limit, self._record.of.name, host, live)
        for run, spent in (await self._found(key)).items():
            tally.found(run, spent)
        if sharing is not None:
            await sharing.join(key, tally)
        self._tallies[key] = tally
        self._forget()
        return tally

    async def _found(self, key: Key) -> dict[str, Amount]:
        """Return what the record has of each run, by its daily sums; a task's, call by call."""
        table = "calls" if key.of == "task" else "history"
        where, values = ["at >= ?"], [key.period]
        if key.of in COLUMNS:
            where.append(f"{COLUMNS[key.of]} = ?")
            values.append(key.name)
        query = (
            "SELECT runs.name AS run, SUM(cost_pico) AS cost,"  # noqa: S608 - our own names
            f" SUM(prompt_tokens + completion_tokens) AS tokens FROM {table} AS spent"
            " JOIN runs ON runs.id = spent.run"
            f" WHERE cache NOT IN ('hit', 'coalesced') AND {' AND '.join(where)}"
            " GROUP BY runs.name"
        )
        rows = await self._record.rows(query, *values)
        return {row["run"]: _amount(row) for row in rows}

    def _forget(self) -> None:
        """Let old budgets go; their spending is on the record."""
        for key in list(self._tallies):
            if len(self._tallies) <= MOST:
                return
            if self._tallies[key].reserved == NOTHING:
                del self._tallies[key]
                if self._sharing is not None:
                    self._sharing.leave(key)


def _nobody(run: str, heard: float) -> bool:
    return False


def _amount(row: sqlite3.Row) -> Amount:
    return Amount(dollars(row["cost"] or 0) or Decimal(0), int(row["tokens"] or 0))


def _name(limit: SpendingLimit, request: Spending | None) -> str | None:
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


def _own(request: Spending | None) -> tuple[SpendingLimit, ...]:
    """Return the budget that the request brings for its task."""
    if request is None or (request.budget_usd is None and request.budget_tokens is None):
        return ()
    return (SpendingLimit(of="task", usd=request.budget_usd, tokens=request.budget_tokens),)


def _lower(one: SpendingLimit, other: SpendingLimit) -> SpendingLimit:
    """Return the limit that keeps both."""
    usd = [limit.usd for limit in (one, other) if limit.usd is not None]
    tokens = [limit.tokens for limit in (one, other) if limit.tokens is not None]
    changes = {"usd": min(usd, default=None), "tokens": min(tokens, default=None)}
    return one.model_copy(update=changes)


def _period(limit: SpendingLimit, at: datetime) -> str:
    if limit.of == "task":
        return ""
    return at.date().isoformat()[: 10 if limit.per == "day" else 7]


def _line(key: Key, tally: Tally) -> BudgetLine:
    spent, reserved = tally.all_spent, tally.reserved.plus(tally.reserved_by_others)
    elsewhere = tally.elsewhere
    return BudgetLine(
        of=tally.limit.of,
        name=key.name,
        period=key.period,
        limit_usd=tally.limit.usd,
        spent_usd=spent.usd,
        reserved_usd=reserved.usd,
        limit_tokens=tally.limit.tokens,
        spent_tokens=spent.tokens,
        reserved_tokens=reserved.tokens,
        refused=tally.refused,
        elsewhere_usd=elsewhere.usd,
        elsewhere_tokens=elsewhere.tokens,
    )


def _share(line: BudgetLine) -> float:
    """Return how full a budget is."""
    money = float(line.spent_usd / line.limit_usd) if line.limit_usd else 0.0
    return max(money, line.spent_tokens / line.limit_tokens if line.limit_tokens else 0.0)
