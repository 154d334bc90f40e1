"""`sovereign match …`: clients, providers, deals, and what they earn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.options import Because, Json, Limit, Yes, group

app = group("Clients and providers, their deals, and the earnings.", "Work")
add = group("Add a provider's profile or a client's need.", "Work")
deal = group("Open a deal, move it on, pay it, look at it.", "Work")
app.add_typer(add, name="add")
app.add_typer(deal, name="deal")

Party = Annotated[str, typer.Argument(help="An id of letters, digits, `_` and `-`.")]
NeedId = Annotated[str, typer.Argument(metavar="NEED", help="The need's id.")]
DealId = Annotated[str, typer.Argument(metavar="DEAL", help="The deal's id.")]
Sector = Annotated[list[str] | None, typer.Option(help="Repeatable.")]
Language = Annotated[list[str] | None, typer.Option(help="Repeatable.")]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="80.50, or '80.50 EUR'.")]
Key = Annotated[str | None, typer.Option(help="Your own key: the same twice is one act.")]


@add.command()
def profile(
    party_id: Party,
    name: Annotated[str, typer.Argument(help="The provider's name.")],
    skill: Annotated[
        list[str] | None, typer.Option(help="`python`, or `python:0.9` with a level. Repeatable.")
    ] = None,
    sector: Sector = None,
    language: Language = None,
    timezone: Annotated[str | None, typer.Option(help="Like Europe/Berlin.")] = None,
    rate: Annotated[str | None, typer.Option(help="Of one hour: 80.50, or '80.50 EUR'.")] = None,
    capacity: Annotated[int, typer.Option(min=0, help="Deals at once.")] = 1,
    bio: Annotated[str, typer.Option(help="More about them.")] = "",
    as_json: Json = False,
) -> None:
    """Add a provider, or replace one of the same id."""
    from cli import matching

    fields = {
        "party_id": party_id, "name": name, "sectors": sector, "languages": language,
        "timezone": timezone, "capacity": capacity, "bio": bio, "skills": skill, "rate": rate,
    }  # fmt: skip
    matching.add_profile(fields, as_json)


@add.command()
def need(
    need_id: Party,
    title: Annotated[str, typer.Argument(help="What is needed, in one line.")],
    client: Annotated[str, typer.Option(help="The client's id.")],
    required: Annotated[list[str] | None, typer.Option(help="A skill. Repeatable.")] = None,
    nice: Annotated[list[str] | None, typer.Option(help="A welcome skill. Repeatable.")] = None,
    sector: Sector = None,
    language: Language = None,
    budget: Annotated[
        str | None, typer.Option(help="The highest rate; with --hours, in all.")
    ] = None,
    hours: Annotated[float | None, typer.Option(min=0, help="How much work it is.")] = None,
    text: Annotated[str, typer.Option(help="More about it.")] = "",
    as_json: Json = False,
) -> None:
    """Add a client's need, or replace one of the same id."""
    from cli import matching

    fields = {
        "need_id": need_id, "party_id": client, "title": title, "required": required,
        "nice": nice, "sectors": sector, "languages": language, "hours": hours, "text": text,
        "budget": budget,
    }  # fmt: skip
    matching.add_need(fields, as_json)


@add.command()
def file(
    path: Annotated[Path, typer.Argument(help="JSON: one profile or need, or a list of them.")],
    as_json: Json = False,
) -> None:
    """Add everything that a JSON file holds; `-` reads stdin."""
    from cli import matching

    matching.add_file(path, as_json)


@app.command()
def find(
    need: NeedId,
    limit: Limit = 10,
    blocked: Annotated[bool, typer.Option("--blocked", help="Show who is ruled out, too.")] = False,
    phrase: Annotated[
        bool, typer.Option("--phrase", help="Tell the first three in sentences, by a model if any.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the best providers for a need, with the reasons."""
    from cli import matching

    fields = {"need_id": need, "limit": limit, "blocked": blocked, "phrase": phrase}
    matching.find(fields, as_json)


@app.command()
def assign(
    mode: Annotated[
        Literal["optimal", "stable"], typer.Option(help="Best sum, or no envy.")
    ] = "optimal",
    floor: Annotated[float, typer.Option(min=0, max=1, help="No pair below this score.")] = 0.0,
    as_json: Json = False,
) -> None:
    """Propose pairs for all open needs at once."""
    from cli import matching

    matching.assign({"mode": mode, "floor": floor}, as_json)


@app.command("list")
def list_all(limit: Limit = 100, as_json: Json = False) -> None:
    """List providers, needs and deals."""
    from cli import matching

    matching.list_all(limit, as_json)


@app.command()
def revenue(
    by: Annotated[
        Literal["day", "week", "month", "party", "currency", "kind"], typer.Option(help="Grouped.")
    ] = "month",
    as_json: Json = False,
) -> None:
    """Show the earnings and whether the books balance."""
    from cli import dealing

    dealing.revenue(by, as_json)


@deal.command("open")
def open_deal(
    need: NeedId,
    provider: Annotated[str, typer.Argument(help="The provider's id.")],
    amount: Annotated[str | None, typer.Option(help="80.50, or '80.50 EUR'.")] = None,
    rate: Annotated[
        str | None, typer.Option(help="Commission 0..1; the setting's unless given.")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Open a deal between a need's client and a provider."""
    from cli import dealing

    fields = {"action": "open", "need_id": need, "provider_id": provider, "rate": rate, "key": key}
    dealing.act(fields, amount, as_json)


@deal.command()
def move(
    deal: DealId,
    to: Annotated[str, typer.Argument(help="The state to come, see above.")],
    reason: Because = "",
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Move a deal to its next state; a move that may not follow is refused with those that may.

    The usual way: proposed, shortlisted, offered, accepted, active, delivered, invoiced, closed.
    Ways out: declined, withdrawn, expired, cancelled, disputed. A deal becomes paid or refunded
    by `pay` and `refund` alone.
    """
    from cli import dealing

    fields = {"action": "move", "deal_id": deal, "to": to, "reason": reason, "key": key}
    dealing.act(fields, None, as_json)


@deal.command(context_settings={"ignore_unknown_options": True})  # -5 is an amount, if a wrong one
def pay(
    deal: DealId,
    amount: Amount,
    payment: Annotated[
        str | None,
        typer.Option(
            "--payment", "--key", help="The payment's id: the same twice is one. Made if not given."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Record a payment and print its id; the commission is booked with it."""
    from cli import dealing

    dealing.act({"action": "pay", "deal_id": deal, "key": payment}, amount, as_json)


@deal.command()
def refund(
    deal: DealId,
    payment: Annotated[
        str, typer.Argument(help="The payment's id, as `pay` and `deal show` print it.")
    ],
    amount: Annotated[str | None, typer.Option(help="A part of it; all unless given.")] = None,
    reason: Because = "",
    yes: Yes = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Give a payment back, its commission too."""
    from cli import dealing
    from cli.confirming import agree

    agree(f"refund {payment} of deal {deal}", yes=yes)
    fields = {"action": "refund", "deal_id": deal, "payment": payment, "reason": reason, "key": key}
    dealing.act(fields, amount, as_json)


@deal.command("show")
def show_deal(deal: DealId, as_json: Json = False) -> None:
    """Show a deal and its history."""
    from cli import dealing

    dealing.show(deal, as_json)


@deal.command("list")
def list_deals(as_json: Json = False) -> None:
    """List the deals."""
    from cli import dealing

    dealing.list_deals(as_json)
