"""Payouts, bills, the ledger's export, the month's report, tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cli.connection import ask
from cli.money import money, told
from cli.output import emit_json, json_text, say, table, tell
from cli.wishes import build, person
from shared.events.money import (
    BillAsk,
    BillReply,
    LedgerExport,
    LedgerExportAsk,
    MatchReport,
    PayoutAsk,
    PayoutReply,
    ReportAsk,
)
from shared.events.parties import TokenAsk, TokenReply
from shared.ids import ulid
from shared.settings import load

LONG_S = 60.0


def payout(fields: dict[str, Any], amount: str | None, as_json: bool) -> None:
    """Start or end a payout, or list them."""
    given = _given(fields, {"amount": amount}, keyed=fields["action"] == "start")
    reply = ask("match.payout", build(PayoutAsk, given), PayoutReply)
    if as_json:
        emit_json(reply)
        return
    rows = ((p.payout, p.provider_id, told(p.amount), p.state, p.reason) for p in reply.payouts)
    table(("payout", "provider", "amount", "state", "why"), rows)
    _again(reply.duplicate)


def bill(fields: dict[str, Any], amounts: dict[str, str | None], as_json: bool) -> None:
    """Charge, receive, subscribe, or list charges."""
    given = _given(fields, amounts, keyed=fields["action"] in ("charge", "receive"))
    reply = ask("match.bill", build(BillAsk, given), BillReply)
    if as_json:
        emit_json(reply)
        return
    rows = (
        (c.charge, c.party_id, c.stream, told(c.amount), "paid" if c.paid else "open")
        for c in reply.charges
    )
    table(("charge", "client", "income", "amount", "state"), rows)
    _again(reply.duplicate)


def _given(
    fields: dict[str, Any], amounts: dict[str, str | None], *, keyed: bool
) -> dict[str, Any]:
    """Return the request with its amounts read, a key of its own, and who asks."""
    currency = load().match.currency
    read = {name: money(text, currency, name.upper()) for name, text in amounts.items() if text}
    key = {"key": fields.get("key") or ulid()} if keyed else {}
    return {**fields, **read, **key, "actor": person()}


def _again(duplicate: bool) -> None:
    if duplicate:
        say("this key was used before: nothing new happened")


def export(fields: dict[str, Any], out: Path | None) -> None:
    """Write the ledger as a text."""
    found = ask("match.export", build(LedgerExportAsk, fields), LedgerExport, LONG_S)
    _write(found.text, out)
    say(f"{found.entries} entries")


def report(month: str | None, out: Path | None, as_json: bool) -> None:
    """Write the report of a month."""
    found = ask("match.report", build(ReportAsk, {"month": month}), MatchReport, LONG_S)
    _write(json_text(found, indent=2) + "\n" if as_json else found.markdown, out)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        for line in text.splitlines():
            tell(line)
        return
    out.write_text(text, encoding="utf-8")
    say(f"wrote {out}")


def token(fields: dict[str, Any], as_json: bool) -> None:
    """Issue, revoke or list tokens."""
    reply = ask("match.token", build(TokenAsk, fields | {"actor": person()}), TokenReply)
    if as_json:
        emit_json(reply)
        return
    if reply.token is not None:
        tell(reply.token)
        say("it is shown this once; it opens /match at the dashboard's address")
        return
    columns = ("token", "party", "side", "issued", "revoked")
    rows = (
        (one.token_id, one.party_id, one.side, f"{one.issued_at:%Y-%m-%d}",
         f"{one.revoked_at:%Y-%m-%d}" if one.revoked_at else None)
        for one in reply.tokens
    )  # fmt: skip
    table(columns, rows)
