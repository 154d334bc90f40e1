"""`sovereign match …`: payouts, bills, exports, reports, tokens, and what others bring along."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.match import Amount, Key
from cli.match import app as app
from cli.options import Because, Json, Yes, group

payout = group("What providers are owed goes out.", "Work")
bill = group("What clients owe beside deals: fees, service builds.", "Work")
outcomes = group("What was said elsewhere.", "Work")
app.add_typer(payout, name="payout")
app.add_typer(bill, name="bill")
app.add_typer(outcomes, name="outcomes")

PayoutId = Annotated[str, typer.Argument(metavar="PAYOUT", help="The payout's id.")]
Party = Annotated[str, typer.Argument(metavar="PARTY", help="The party's id.")]
Stream = Annotated[Literal["build", "white_label"], typer.Option(help="Which income it is.")]
MonthOption = Annotated[str | None, typer.Option(help="Like 2026-11.")]


@payout.command("start")
def start(provider: Party, amount: Amount, key: Key = None, as_json: Json = False) -> None:
    """Send a provider what is owed, or part of it."""
    from cli import books

    fields = {"action": "start", "provider_id": provider, "key": key}
    books.payout(fields, amount, as_json)


@payout.command("settle")
def settle(payout_id: PayoutId, reason: Because = "", as_json: Json = False) -> None:
    """Say that a payout arrived."""
    from cli import books

    fields = {"action": "settle", "payout": payout_id, "reason": reason}
    books.payout(fields, None, as_json)


@payout.command("fail")
def fail(
    payout_id: PayoutId, reason: Because = "", yes: Yes = False, as_json: Json = False
) -> None:
    """Say that a payout did not arrive; it is owed again."""
    from cli import books
    from cli.confirming import agree

    agree(f"take payout {payout_id} back", yes=yes)
    books.payout({"action": "fail", "payout": payout_id, "reason": reason}, None, as_json)


@payout.command("unknown")
def unknown(payout_id: PayoutId, reason: Because = "", as_json: Json = False) -> None:
    """Say that nobody can tell; until it is settled or failed, nothing more goes out."""
    from cli import books

    fields = {"action": "unknown", "payout": payout_id, "reason": reason}
    books.payout(fields, None, as_json)


@payout.command("list")
def payouts(as_json: Json = False) -> None:
    """List payouts, the latest first."""
    from cli import books

    books.payout({"action": "list"}, None, as_json)


@bill.command("charge")
def charge(
    client: Party, amount: Amount, stream: Stream = "build", reason: Because = "",
    key: Key = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Charge a client once, for a service build or a fee."""
    from cli import books

    fields = {
        "action": "charge", "party_id": client, "stream": stream, "key": key, "reason": reason,
    }  # fmt: skip
    books.bill(fields, {"amount": amount}, as_json)


@bill.command("receive")
def receive(
    charge_id: Annotated[str, typer.Argument(metavar="CHARGE", help="The charge's id.")],
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Record that a charge was paid, in full."""
    from cli import books

    books.bill({"action": "receive", "charge": charge_id, "key": key}, {}, as_json)


@bill.command("subscribe")
def subscribe(
    client: Party,
    amount: Amount,
    key: Annotated[str, typer.Option(help="The subscription's own id.")],
    set_up: Annotated[str | None, typer.Option(help="Charged once.")] = None,
    stream: Stream = "white_label",
    end: Annotated[bool, typer.Option("--end", help="Charge no more months.")] = False,
    as_json: Json = False,
) -> None:
    """Charge a client each month from now on; the same key again changes or ends it."""
    from cli import books

    fields = {
        "action": "subscribe", "party_id": client, "stream": stream, "key": key, "active": not end,
    }  # fmt: skip
    books.bill(fields, {"amount": amount, "set_up": set_up}, as_json)


@bill.command("list")
def bills(as_json: Json = False) -> None:
    """List charges, the latest first."""
    from cli import books

    books.bill({"action": "list"}, {}, as_json)


@app.command()
def export(
    to: Annotated[
        Literal["csv", "beancount"], typer.Option("--format", help="Which form.")
    ] = "csv",
    month: MonthOption = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file; else stdout.")] = None,
) -> None:
    """Write the ledger as CSV, or as a beancount file for `bean-check`."""
    from cli import books

    books.export({"format": to, "month": month}, out)


@app.command()
def report(
    month: MonthOption = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file; else stdout.")] = None,
    as_json: Json = False,
) -> None:
    """Report one month in Markdown or JSON: the running one unless named."""
    from cli import books

    books.report(month, out, as_json)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="CSV, JSON or JSON lines; `-` reads stdin.")],
    kind: Annotated[Literal["profile", "need"], typer.Option("--as", help="What it lists.")],
    as_json: Json = False,
) -> None:
    """Add what another system exported: known columns are taken, the rest stays unknown."""
    from cli import bringing

    bringing.parties(path, kind, as_json)


@outcomes.command("import")
def import_outcomes(
    path: Annotated[Path, typer.Argument(help="CSV, JSON or JSON lines; `-` reads stdin.")],
    as_json: Json = False,
) -> None:
    """Count past yes and no between clients and providers; the same file counts once.

    Columns: provider, client, outcome (yes or no), side (client, unless it says provider).
    """
    from cli import bringing

    bringing.outcomes(path, as_json)


@app.command()
def token(
    party: Annotated[str | None, typer.Argument(help="Whose page it opens.")] = None,
    side: Annotated[
        Literal["client", "provider"] | None, typer.Option(help="Needed for who is not on record.")
    ] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="End all tokens of the party.")] = False,
    token_id: Annotated[str | None, typer.Option("--id", help="End this one alone.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="List tokens by their ids.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make a token for the page `/match` and print it, once; or end tokens, or list them."""
    from cli import books
    from cli.confirming import agree

    action = "list" if listed else "revoke" if revoke or token_id else "issue"
    if action == "revoke":
        agree(f"revoke {token_id or f'all tokens of {party}'}", yes=yes)
    fields = {"action": action, "party_id": party, "side": side, "token_id": token_id}
    books.token(fields, as_json)
