"""The life of a deal: which move may follow which, and what payments make of it."""

from __future__ import annotations

from services.match.money import text
from shared.errors import Conflict, InvalidInput
from shared.events import DealState

_WAY: dict[str, str] = {
    "proposed": "shortlisted offered declined withdrawn cancelled",
    "shortlisted": "offered declined withdrawn cancelled",
    "offered": "accepted declined withdrawn expired",
    "accepted": "active cancelled",
    "active": "delivered disputed cancelled",
    "delivered": "invoiced active disputed",
    "invoiced": "disputed cancelled",
    "paid": "closed disputed",
    "disputed": "active delivered invoiced cancelled closed",
}
MOVES: dict[str, frozenset[str]] = {state: frozenset(to.split()) for state, to in _WAY.items()}
"""Allowed moves. `paid` and `refunded` are reached by money alone; what is not a key is final."""

BY_MONEY = frozenset({"paid", "refunded"})
PAYABLE = frozenset({"accepted", "active", "delivered", "invoiced"})
"""States in which the client may pay, in advance or in parts."""

ENGAGED = frozenset({"accepted", "active", "delivered", "disputed"})
"""States that take a place of the provider's capacity and of the need's openings."""

REJECTED = frozenset({"declined", "withdrawn"})
"""Ends that keep this provider from being shown for this need again."""

AGREED = ENGAGED | {"invoiced", "paid", "closed", "refunded"}
"""States in which both sides had said yes."""


def standing(state: DealState, amount: int | None, paid: int, refunded: int) -> DealState:
    """Return the deal's state with its money counted in; amounts in minor units.

    An invoiced deal that is paid in full is `paid`; one whose payments all went back after it
    was invoiced is `refunded`. It depends on nothing else, so the order in which moves and
    payments were read does not matter.
    """
    if paid and refunded >= paid and state in ("invoiced", "closed"):
        return "refunded"
    if state == "invoiced" and amount is not None and paid >= amount:
        return "paid"
    return state


def check_move(state: str, to: str) -> None:
    """Raise unless a deal in `state` may be moved to `to` by a person."""
    if to in BY_MONEY:
        raise InvalidInput(f"to: {to} follows from payments and cannot be set", field="to")
    allowed = MOVES.get(state, frozenset())
    if to not in allowed:
        ways = ", ".join(sorted(allowed)) or "nothing: this state is final"
        raise Conflict(f"to: a deal that is {state} may become {ways}; not {to}", field="to")


def check_payment(state: str, amount: tuple[int, str] | None, paid: int, pay: int) -> None:
    """Raise unless `pay` more may be paid; `amount` is the agreed sum and its currency."""
    if state not in PAYABLE:
        raise Conflict(
            f"deal_id: a deal that is {state} takes no payment, only one that is"
            f" {', '.join(sorted(PAYABLE))}",
            field="deal_id",
        )
    if amount is None:
        raise InvalidInput("amount: the deal has no agreed amount yet", field="amount")
    if paid + pay > amount[0]:
        left = text(amount[0] - paid, amount[1])
        raise Conflict(f"amount.minor: only {left} is left to pay", field="amount.minor")
