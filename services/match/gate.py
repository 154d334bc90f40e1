"""Who is allowed for each of many needs; a limit that many share is looked at once."""

from __future__ import annotations

import numpy as np

from services.match import constraints
from services.match.asked import Asked
from services.match.constraints import TOO_DEAR
from services.match.index import Floats
from services.match.pool import Bools, Pool, code
from shared.events import Constraint


class Gate:
    """Tells who is allowed for a need, by the same limits as `constraints.limits`."""

    def __init__(self, pool: Pool) -> None:
        columns = pool.columns
        self._pool = pool
        self._there = (
            (columns["live"] > 0)
            & (columns["active"] != 0)
            & (columns["available"] != 0)
            & (columns["load"] < columns["capacity"])
        )
        self._seen: dict[tuple[object, ...], Bools] = {}
        self._amounts: dict[tuple[str, str], Floats] = {}

    def allowed(self, ask: Asked, unwanted: set[str]) -> Bools:
        """Return the providers whom no hard limit rules out."""
        pool, free = self._pool, self._there.copy()
        for party in unwanted:
            if party in pool.rows:
                free[pool.rows[party]] = False
        for name in ask.required:
            free &= self._kept("skill", "has", name, ask)
        for rule in ask.hard:
            free &= self._kept(rule.field, rule.op, rule.value, ask)
        if ask.need.budget is not None:
            dear = np.float32(TOO_DEAR * (ask.limit or 0.0))
            free &= ~(self._amount("rate", ask.currency) > dear)
            free &= ~(self._amount("min_budget", ask.currency) > ask.need.budget.minor)
        there: Bools = free
        return there

    def _kept(self, field: str, op: str, value: str | int, ask: Asked) -> Bools:
        key = (field, op, value, ask.currency if field == "rate" else "")
        if key not in self._seen:
            rule = Constraint.model_validate({"field": field, "op": op, "value": value})
            self._seen[key] = ~constraints.check(rule, ask, self._pool).broken
        return self._seen[key]

    def _amount(self, name: str, currency: str) -> Floats:
        """Return the amounts in this currency; unknown where they are in another."""
        if (name, currency) not in self._amounts:
            codes = "currency" if name == "rate" else "min_currency"
            same = self._pool.codes[codes] == code(currency)
            found = np.where(same, self._pool.columns[name], np.float32(np.nan))
            self._amounts[name, currency] = found
        return self._amounts[name, currency]
