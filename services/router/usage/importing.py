"""Answers `model.import`: reads an export, leaves rubbish out by its line, sums up the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from decimal import Decimal

from services.router import prices
from services.router.pool.energy import JOULES_PER_KWH
from services.router.record import Record
from services.router.usage import reading
from services.router.usage.fields import NotUsage, Usage, read
from services.router.usage.summary import Home, paid, summarize
from shared.errors import InvalidInput
from shared.events import UsageFault, UsageImport, UsageImported
from shared.settings import RouterSettings

SHOWN = 100
NOTICE = (
    "Paid: as the file says, else the table's price of today, all input as fresh. At home: the same"
    " tokens at the speed measured here; energy counts if its price and the watts are set."
    " Whether your models do this work as well is not said: measure it."
)
SPEED = """
    SELECT TOTAL(prompt_s) / NULLIF(SUM(prompt_tokens), 0) AS prompt_s,
           TOTAL(eval_s) / NULLIF(SUM(completion_tokens), 0) AS completion_s
      FROM (SELECT prompt_s, eval_s, prompt_tokens, completion_tokens FROM calls
             WHERE kind = 'chat' AND is_llm = 1 AND own_host = 1
               AND error IS NULL AND cache IN ('off', 'miss')
               AND prompt_s > 0 AND eval_s > 0 ORDER BY id DESC LIMIT 2000)
"""


class Importer:
    """Keeps nothing of what it reads."""

    def __init__(self, settings: RouterSettings, record: Record) -> None:
        self._settings = settings
        self._record = record

    async def answer(self, ask: UsageImport) -> UsageImported:
        """Return what moving over would save; raise `InvalidInput` when nothing can be counted."""
        home = await self._home()
        return await asyncio.to_thread(imported, ask, home)

    async def _home(self) -> Home:
        row = (await self._record.rows(SPEED))[0]
        watts, price = self._settings.watts, self._settings.energy_usd_per_kwh
        known = watts is not None and price is not None
        usd = Decimal(str(watts)) * (price or 0) / JOULES_PER_KWH if known else None
        return Home(row["prompt_s"], row["completion_s"], usd)


def imported(ask: UsageImport, home: Home) -> UsageImported:
    """Return the summary of an export."""
    told, faults = _read(reading.entries(reading.unpack(ask.data)))
    usages = _once(told)
    if not usages:
        first = f": line {faults[0].line}: {faults[0].why}" if faults else ""
        raise InvalidInput(f"no usage was found in {ask.name or 'the file'}{first}", field="data")
    models = tuple({usage.model for usage in usages})
    known = prices.read(prices.table(), models[:2000])
    kinds = summarize(usages, known, home)
    days = sorted(usage.day for usage in usages if usage.day)
    unknown = {usage.model for usage in usages if paid(usage, known) is None}
    return UsageImported(
        source=ask.name,
        entries=len(usages),
        rejected=len(faults),
        repeated=len(told) - len(usages),
        faults=tuple(faults[:SHOWN]),
        since=days[0] if days else "",
        until=days[-1] if days else "",
        kinds=tuple(kinds),
        unknown_models=tuple(sorted(unknown)[:SHOWN]),
        paid_usd=_total(kind.paid_usd for kind in kinds),
        saved_usd=_total(kind.saved_usd for kind in kinds if kind.movable),
        notice=NOTICE,
    )


def _read(entries: Iterable[reading.Entry]) -> tuple[list[Usage], list[UsageFault]]:
    usages: list[Usage] = []
    faults: list[UsageFault] = []
    for line, entry in entries:
        if len(usages) + len(faults) >= reading.MOST_ENTRIES:
            line_ = f"more than {reading.MOST_ENTRIES} entries: split the file"
            raise InvalidInput(line_, field="data")
        try:
            if entry is None:
                raise NotUsage("cannot be read")
            usages.append(read(entry))
        except NotUsage as error:
            faults.append(UsageFault(line=line, why=str(error)))
    return usages, faults


def _once(told: list[Usage]) -> list[Usage]:
    """Return the usages without those of a call that was told before."""
    named: set[str] = set()
    found = []
    for usage in told:
        if usage.call and usage.call in named:
            continue
        named.add(usage.call)
        found.append(usage)
    return found


def _total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum; one unknown part makes it unknown."""
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
