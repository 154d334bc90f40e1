"""`sovereign events`: the bus as it speaks, one message a line."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.options import JsonLines

FAMILIES = (
    "task.>", "agent.>", "model.>", "cache.>", "cost.event", "ops.>", "session.>", "match.>",
    "ledger.>", "dead.>",
)  # fmt: skip
"""What is shown unless a subject is named: everything but the beats, which come every second."""


def events(
    subject: Annotated[
        str | None, typer.Argument(help="A subject, wildcards too: 'task.>', 'health.>'.")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="Leave after so many.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Whole bodies, not one line's worth.")
    ] = False,
    as_json: JsonLines = False,
) -> None:
    """Show what is said on the bus from now on, one line a message; Ctrl-C leaves."""
    from cli import tailing

    tailing.tail([subject] if subject else list(FAMILIES), count, full=full, as_json=as_json)
