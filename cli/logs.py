"""`sovereign logs`: what the services of this host wrote, from the files of the supervisor."""

from __future__ import annotations

from typing import Annotated

import typer


def logs(
    service: Annotated[str, typer.Argument(help="One service; all of this host else.")] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as more is written.")
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="The last so many.")] = 50,
) -> None:
    """Show what services of this host wrote into their logs."""
    from cli import written

    written.show(service, lines, follow)
