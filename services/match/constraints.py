"""Hard limits stand beside the score: who is blocked, why, and what is not known.

Every need has these: the provider is there, free and willing, shows each required skill, and asks
no more than `TOO_DEAR` times the budget, which is the highest rate the client pays. A need may
add limits of its own. What is unknown never blocks; it is listed as missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from services.match.asked import Asked
from services.match.index import Floats, Index
from services.match.money import text
from services.match.pool import Bools, Pool, code
from services.match.skills import canonical, language
from shared.events import Constraint, Need

TOO_DEAR = 1.5
"""A rate of this many times the allowed one is worth nothing; above it, the provider is blocked."""


@dataclass(frozen=True)
class Limit:
    """One limit over the whole pool: where it is broken, where nobody can tell.

    With `rates` (minor units of `currency`) the line tells each provider's own rate first.
    """

    label: str
    broken: Bools
    unknown: Bools
    rates: Floats | None = None
    currency: str = ""

    def line(self, row: int) -> str:
        """Return the limit in words, as it concerns the provider in `row`."""
        if self.rates is None:
            return self.label
        return f"rate {text(int(self.rates[row]), self.currency)} {self.label}"


def limits(ask: Asked, pool: Pool, unwanted: set[str]) -> list[Limit]:
    """Return every hard limit of this need over the pool."""
    needed = [Constraint(field="skill", op="has", value=name) for name in ask.required]
    rules = (*needed, *ask.hard)
    return [*_standing(ask, pool, unwanted), *(check(rule, ask, pool) for rule in rules)]


def check(rule: Constraint, ask: Asked, pool: Pool) -> Limit:
    """Return one constraint over the pool."""
    return _CHECKS[rule.field](rule, ask, pool)


def _standing(ask: Asked, pool: Pool, unwanted: set[str]) -> list[Limit]:
    """Return the limits that every need has: nobody gone, engaged, too dear or unwilling."""
    columns, never = pool.columns, np.zeros(len(pool), np.bool_)
    gone = never.copy()
    gone[[pool.rows[party] for party in unwanted if party in pool.rows]] = True
    rules = [
        ("the provider has left", columns["active"] == 0),
        ("not available now", columns["available"] == 0),
        ("at capacity", columns["load"] >= columns["capacity"]),
        ("declined, or was let go, for this need", gone),
    ]
    found = [Limit(label, broken, never) for label, broken in rules]
    if ask.need.budget is None:
        return found
    return [*found, _dear(ask, ask.need, pool), _least(ask.need, pool)]


def _dear(ask: Asked, need: Need, pool: Pool) -> Limit:
    """A rate far above the budget; one in another currency is not known."""
    allowed = ask.limit or 0.0
    rates = pool.columns["rate"]
    same = pool.codes["currency"] == code(ask.currency)
    per = " an hour" if need.hours else ""
    label = f"is above the budget of {text(round(allowed), ask.currency)}{per}"
    broken = same & (rates > np.float32(TOO_DEAR * allowed))
    return Limit(label, broken, np.zeros(len(pool), np.bool_), rates, ask.currency)


def _least(need: Need, pool: Pool) -> Limit:
    budget = need.budget
    assert budget is not None  # noqa: S101 - the caller has looked
    least = pool.columns["min_budget"]
    same = pool.codes["min_currency"] == code(budget.currency)
    label = f"the budget of {text(budget.minor, budget.currency)} is below the provider's least"
    return Limit(label, same & (least > budget.minor), np.zeros(len(pool), np.bool_))


def _has(index: Index, name: str, counted: Bools, label: str) -> Limit:
    found = np.zeros(len(counted), np.bool_)
    found[index.of(name)[0]] = True
    return Limit(label, counted & ~found, ~counted)


def _skill(rule: Constraint, ask: Asked, pool: Pool) -> Limit:
    known = pool.columns["skills"] == 1
    return _has(pool.skills, canonical(str(rule.value)), known, f"skill {rule.value} is needed")


def _sector(rule: Constraint, ask: Asked, pool: Pool) -> Limit:
    known = pool.columns["sectors"] == 1
    return _has(pool.sectors, canonical(str(rule.value)), known, f"sector {rule.value} is needed")


def _language(rule: Constraint, ask: Asked, pool: Pool) -> Limit:
    known = pool.columns["languages"] == 1
    name = language(str(rule.value))
    return _has(pool.languages, name, known, f"language {rule.value} is needed")


def _timezone(rule: Constraint, ask: Asked, pool: Pool) -> Limit:
    known = pool.columns["timezone"] == 1
    return _has(pool.timezones, str(rule.value), known, f"timezone {rule.value} is needed")


def _rate(rule: Constraint, ask: Asked, pool: Pool) -> Limit:
    rate = pool.columns["rate"]
    known = ~np.isnan(rate)
    if ask.currency:
        known = known & (pool.codes["currency"] == code(ask.currency))
    shown = text(int(rule.value), ask.currency) if ask.currency else f"{rule.value} minor units"
    return Limit(f"the rate may be at most {shown}", known & (rate > int(rule.value)), ~known)


def _available(rule: Constraint, ask: Asked, pool: Pool) -> Limit:
    free = pool.columns["available"]
    return Limit("available now is needed", free == 0, np.isnan(free))


_CHECKS: dict[str, Callable[[Constraint, Asked, Pool], Limit]] = {
    "skill": _skill,
    "sector": _sector,
    "language": _language,
    "timezone": _timezone,
    "rate": _rate,
    "available": _available,
}
