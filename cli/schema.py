"""`sovereign schema`: the contract of the bus, as JSON Schema."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Json


def schema(
    event: Annotated[
        str | None, typer.Argument(help="A body's name, or `asyncapi` for the whole bus.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the bodies of the bus, or print the JSON Schema of one."""
    from cli import contract

    if event is None:
        contract.list_bodies(as_json)
    else:
        contract.show_body(event)
