"""`sovereign config …`: the settings in force and where each comes from."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import Json, group

app = group("The settings in force, and where each comes from.", "Help")


@app.command()
def show(
    prefix: Annotated[str, typer.Argument(metavar="NAME", help="Only these, e.g. `router`.")] = "",
    as_json: Json = False,
) -> None:
    """Show every setting: its value, its source, the variable that sets it."""
    from cli import settled

    settled.show(prefix, as_json)
