"""Deals and money: every act carries a key, so that the same act twice happens once."""

from __future__ import annotations

from typing import Any

from cli.connection import ask
from cli.money import amount as shown
from cli.money import money, told
from cli.output import emit_json, pairs, say, table, tell
from cli.wishes import build, person
from shared.errors import NotFound
from shared.events.match import Deal, DealAsk, DealReply, Revenue, RevenueAsk, RevenueLine
from shared.ids import ulid
from shared.settings import load


def act(fields: dict[str, Any], amount: str | None, as_json: bool) -> None:
    """Open, move, pay or refund; print how the deal stands then."""
    given = fields | {"key": fields["key"] or ulid(), "actor": person()}
    if amount is not None:
        given["amount"] = money(amount, load().match.currency, "AMOUNT")
    reply = ask("match.deal", build(DealAsk, given), DealReply)
    if as_json:
        emit_json(reply)
        return
    if reply.deal is not None:
        tell(f"{reply.deal.deal_id}  {reply.deal.state}")
    if reply.entry_id is not None:
        tell(f"entry {reply.entry_id}")
    say("this key was used before: nothing new happened" if reply.duplicate else "done")


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
    for entry in deal.history:
        tell(f"  {'  '.join(str(value) for value in entry.values() if value)}")


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
