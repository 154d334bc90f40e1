"""Deals and money: every act carries a key, so that the same act twice happens once."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, get_args

from cli.connection import ask
from cli.money import amount as shown
from cli.money import money, told
from cli.output import emit_json, pairs, say, table, tell
from cli.wishes import build, person
from shared.errors import InvalidInput, NotFound
from shared.events.base import Money
from shared.events.match import Deal, DealAsk, DealReply, DealState
from shared.events.money import Revenue, RevenueAsk, RevenueLine
from shared.ids import ulid
from shared.settings import load


def act(fields: dict[str, Any], amount: str | None, as_json: bool) -> None:
    """Open, move, pay or refund; print how the deal stands then."""
    given = fields | {"key": fields["key"] or ulid(), "actor": person()}
    if amount is not None:
        given["amount"] = _positive(amount)
    if given["action"] == "move":
        _check_state(given["to"], given["deal_id"])
    reply = ask("match.deal", build(DealAsk, given), DealReply)
    if as_json:
        emit_json(reply)
        return
    if reply.deal is not None:
        tell(f"{reply.deal.deal_id}  {reply.deal.state}")
    if reply.entry_id is not None:
        tell(f"{given['action']} {reply.entry_id}")
    if given["action"] == "pay" and reply.deal is not None:
        say(f"to give it back: sovereign match deal refund {given['deal_id']} {reply.entry_id}")
    say("this key was used before: nothing new happened" if reply.duplicate else "done")


def _positive(text: str) -> Money:
    found = money(text, load().match.currency, "AMOUNT")
    if found.minor <= 0:
        raise InvalidInput(f"AMOUNT: {text} is not more than nothing", field="AMOUNT")
    return found


def _check_state(word: str, deal_id: str) -> None:
    """Refuse a word that is no state at all; which of them may follow only match knows."""
    states = get_args(DealState)
    if word not in states:
        line = f"TO: {word!r} is no state; there are {', '.join(states)}"
        raise InvalidInput(f"{line}; see `sovereign match deal show {deal_id}`", field="TO")


def show(deal_id: str, as_json: bool) -> None:
    """Print one deal with its history."""
    reply = ask("match.deal", build(DealAsk, {"action": "show", "deal_id": deal_id}), DealReply)
    if reply.deal is None:
        raise NotFound(f"no deal {deal_id}: see `sovereign match deal list`")
    if as_json:
        emit_json(reply.deal)
        return
    deal = reply.deal
    pairs(
        [
            ("deal", deal.deal_id), ("state", deal.state), ("need", deal.need_id),
            ("client", deal.client_id), ("provider", deal.provider_id),
            ("amount", told(deal.amount)), ("commission", f"{deal.rate:.0%}"),
            ("paid", told(deal.paid)), ("refunded", told(deal.refunded)),
        ]
    )  # fmt: skip
    if deal.history:
        tell()
        columns = ("at", "what", "from", "to", "amount", "commission", "id", "of", "by", "why")
        table(columns, map(_happened, deal.history))


def _happened(entry: dict[str, Any]) -> tuple[object, ...]:
    """Return a move or a booking: of a refund also the payment that it gives back."""
    at = datetime.fromisoformat(str(entry["at"])).astimezone()
    sum_of = shown(entry["minor"], entry["currency"]) if "minor" in entry else None
    rate = f"{Decimal(entry['rate']):.0%}" if entry.get("rate") is not None else None
    names = ("entry_id", "reverses", "actor", "reason")
    told_of = (entry.get(name) for name in names)
    where = (entry.get("from"), entry.get("to"))
    return (f"{at:%Y-%m-%d %H:%M:%S}", entry["kind"], *where, sum_of, rate, *told_of)


def list_deals(as_json: bool) -> None:
    """Print all deals."""
    reply = ask("match.deal", build(DealAsk, {"action": "list"}), DealReply)
    if as_json:
        emit_json(list(reply.deals))
    elif reply.deals:
        columns = ("deal", "state", "need", "client", "provider", "amount", "paid")
        table(columns, map(_row, reply.deals))
    else:
        say("no deals yet: sovereign match deal open NEED PROVIDER")


def _row(deal: Deal) -> tuple[object, ...]:
    return (
        deal.deal_id, deal.state, deal.need_id, deal.client_id, deal.provider_id,
        told(deal.amount), told(deal.paid),
    )  # fmt: skip


def revenue(by: str, as_json: bool) -> None:
    """Print the earnings by group, and what the books sum to."""
    found = ask("match.revenue", build(RevenueAsk, {"by": by}), Revenue)
    if as_json:
        emit_json(found)
        return
    table((by, "gross", "earned", "refunded", "payable"), map(_line, found.lines))
    for currency, accounts in found.trial_balance.items():
        rest = sum(accounts.values())
        word = "balanced" if rest == 0 else f"NOT balanced, off by {shown(rest, currency)}"
        say(f"books in {currency}: {word}")


def _line(one: RevenueLine) -> tuple[object, ...]:
    sums = (one.gross, one.earned, one.refunded, one.payable)
    return (one.group, *(shown(minor, one.currency) for minor in sums))
