"""What is known of one budget: the own sums, and what other runs of routers told of theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from services.router.budgets.estimate import NOTHING, Amount
from shared.errors import BudgetExceeded
from shared.setting_groups.router import SpendingLimit

Live = Callable[[str, float], bool]
"""Whether a run is still there, of which something was heard last at that monotonic instant."""


class Key(NamedTuple):
    """Whose budget, and for which time (empty: for ever)."""

    of: str
    name: str
    period: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a run (one router from its start to its end) spent and has reserved, as last heard.

    `number` rises with each word of that run; `heard` is a monotonic instant; `stored` is what the
    bucket has of `spent`: the record of this host may know more.
    """

    number: int = 0
    spent: Amount = NOTHING
    reserved: Amount = NOTHING
    host: str = ""
    heard: float = 0.0
    stored: Amount = NOTHING

    @property
    def is_news(self) -> bool:
        """Tell whether more is known here than the bucket has."""
        return self.spent.larger(self.stored) != self.stored

    def merged(self, other: Told) -> Told:
        """Return what is known from both, in whatever order and however often they came.

        A run's spending only grows, so the larger sum is the later one; of its reservations the
        word with the higher number counts.
        """
        later = other if other.number >= self.number else self
        return replace(
            later, spent=self.spent.larger(other.spent), stored=self.stored.larger(other.stored)
        )


class Tally:
    """One budget as this run sees it: its own `spent` and `reserved`, and the others'.

    `found` is what this host's record has of each run: each is counted once, from here or from
    what it tells, whichever is more.
    """

    def __init__(self, limit: SpendingLimit, run: str, host: str, live: Live) -> None:
        self.limit = limit
        self.spent = NOTHING
        self.reserved = NOTHING
        self.refused = 0
        self.others: dict[str, Told] = {}
        self._spent_by_others = NOTHING
        self._run = run
        self._host = host
        self._live = live

    def found(self, run: str, spent: Amount) -> None:
        """Take in what the record of this host has of a run."""
        self.hear(run, Told(spent=spent, host=self._host))

    def hear(self, run: str, told: Told) -> None:
        """Take in what is told of a run; of the own one, what it spent before it forgot it."""
        if run == self._run:
            self.spent = self.spent.larger(told.spent)
            return
        known = self.others.get(run, Told())
        new = self.others[run] = known.merged(told)
        self._spent_by_others = self._spent_by_others.plus(new.spent).minus(known.spent)

    @property
    def all_spent(self) -> Amount:
        """Return what all runs spent."""
        return self.spent.plus(self._spent_by_others)

    @property
    def reserved_by_others(self) -> Amount:
        """Return what others hold; a run that is gone holds nothing any more."""
        total = NOTHING
        for run, told in self.others.items():
            if told.reserved != NOTHING and self._live(run, told.heard):
                total = total.plus(told.reserved)
        return total

    @property
    def elsewhere(self) -> Amount:
        """Return what other hosts spent."""
        spent = [told.spent for told in self.others.values() if told.host != self._host]
        return sum(spent, NOTHING)

    @property
    def by_others(self) -> Amount:
        """Return what all others spent or hold."""
        return self._spent_by_others.plus(self.reserved_by_others)

    @property
    def held(self) -> Amount:
        """Return all that is spent or reserved."""
        return self.by_others.plus(self.spent).plus(self.reserved)

    def check(self, most: Amount) -> None:
        """Raise `BudgetExceeded` when so much more does not fit."""
        held = self.held
        if not fits(self.limit, held, most):
            raise self.refusal(held, most)

    def refusal(self, held: Amount, most: Amount) -> BudgetExceeded:
        """Return the refusal of what does not fit, and count it."""
        self.refused += 1
        limit, whose = self.limit, f"{self.limit.of} {self.limit.name}".strip()
        return BudgetExceeded(
            f"the budget of {whose} does not reach: {_told(limit, held, most)}",
            field=f"budget.{limit.of}",
        )

    def reserve(self, most: Amount) -> None:
        """Hold so much more."""
        self.reserved = self.reserved.plus(most)

    def settle(self, reserved: Amount, spent: Amount) -> None:
        """Free what was reserved, and book what became of it."""
        self.reserved = self.reserved.minus(reserved)
        self.spent = self.spent.plus(spent)


def fits(limit: SpendingLimit, held: Amount, most: Amount) -> bool:
    """Tell whether so much more fits into a limit of which `held` is spent or reserved."""
    over_usd = limit.usd is not None and held.usd + most.usd > limit.usd and most.usd > 0
    spent_usd = limit.usd is not None and held.usd >= limit.usd and held.usd > 0
    return not (over_usd or spent_usd or _over_tokens(limit, held, most))


def _over_tokens(limit: SpendingLimit, held: Amount, most: Amount) -> bool:
    return limit.tokens is not None and held.tokens + most.tokens > limit.tokens


def _told(limit: SpendingLimit, held: Amount, most: Amount) -> str:
    if _over_tokens(limit, held, most):
        return (
            f"{held.tokens} of {limit.tokens} tokens are used or reserved, and up to {most.tokens}"
            " more would be"
        )
    return (
        f"{held.usd:f} of {limit.usd} USD are spent or reserved, and up to {most.usd:f} more"
        " would be"
    )
