"""What one request comes to, attempt by attempt, each reserved before it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from services.router.budgets.estimate import NOTHING, Amount, Spending
from services.router.budgets.sharing import Sharing
from services.router.budgets.tally import Key, Tally
from services.router.engine import Answer, Vectors
from shared.clock import now


class Pots:
    """The budgets that one request draws on, all or none."""

    def __init__(self, tallies: Sequence[tuple[Key, Tally]], sharing: Sharing | None) -> None:
        self._tallies = tallies
        self._sharing = sharing

    async def reserve(self, most: Amount) -> None:
        """Hold so much in each; raise `BudgetExceeded`, with nothing held, if one is too full."""
        for _, tally in self._tallies:
            tally.check(most)
        for _, tally in self._tallies:
            tally.reserve(most)
        try:
            full = await self._sharing.agree(self._tallies, most) if self._sharing else None
            if full is not None:
                raise full.refusal(full.held.minus(most), most)
        except BaseException:
            self.settle(most, NOTHING)
            raise

    def settle(self, reserved: Amount, spent: Amount) -> None:
        """Free what was reserved, and book what became of it."""
        for _, tally in self._tallies:
            tally.settle(reserved, spent)
        if self._sharing is not None:
            self._sharing.changed(key for key, _ in self._tallies)


class Bill:
    """Books the attempts of one request. `amount` is what they came to, `at` when the first began.

    An attempt that failed costs nothing, unless it was `charged`: sent to a place that may ask
    money for it. Nothing is sent while it is `queued`.
    """

    def __init__(
        self,
        pots: Pots,
        estimate: Callable[[Spending], Amount],
        at: datetime,
        *,
        charged: bool,
    ) -> None:
        self._pots = pots
        self._estimate = estimate
        self._charged = charged
        self._most: Amount | None = None
        self.queued = False
        self.amount = NOTHING
        self.at = at

    async def begin(self, most: Amount) -> None:
        """Reserve for an attempt; raise `BudgetExceeded` when it does not fit."""
        await self._pots.reserve(most)
        self._most = most

    async def again(self, request: Spending) -> None:
        """Reserve for one more attempt; one that cost nothing leaves its reservation to the next.

        Raises `BudgetExceeded` when the budgets do not reach for it.
        """
        if self._most is None:
            await self.begin(self._estimate(request))

    def paid(self, answer: Answer | Vectors) -> None:
        """Book what the answer used; a cost that is not known counts as reserved."""
        most = self._most or NOTHING
        usd = most.usd if answer.cost_usd is None else answer.cost_usd
        tokens = answer.prompt_tokens + answer.completion_tokens
        self._book(Amount(usd, tokens, answer.completion_tokens))

    def lost(self) -> None:
        """Book all that was reserved: the attempt failed at a place that may charge for it."""
        if self._charged and not self.queued and self._most is not None:
            self._book(self._most)

    def close(self) -> None:
        """Free what is still reserved."""
        if self._most is not None:
            self._book(NOTHING)

    def _book(self, spent: Amount) -> None:
        self._pots.settle(self._most or NOTHING, spent)
        self._most = None
        self.amount = self.amount.plus(spent)


def free() -> Bill:
    """Return the bill of what no budget counts."""
    return Bill(Pots((), None), lambda _: NOTHING, now(), charged=False)
