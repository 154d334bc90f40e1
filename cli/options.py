"""Options that many commands share, and the words that they accept.

Here and in every file of commands only light imports: what is heavy comes when a command runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

EngineName = Literal["auto", "ollama", "openai", "offline"]

Json = Annotated[bool, typer.Option("--json", "-j", help="One JSON document on stdout.")]
JsonLines = Annotated[bool, typer.Option("--json", "-j", help="One JSON document a line.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many.")]
Namespace = Annotated[
    str | None, typer.Option("--namespace", help="Whose notes; the setting's unless given.")
]
TaskId = Annotated[str, typer.Argument(metavar="TASK", help="The id that `task submit` printed.")]
Because = Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the record.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait at most.")]
Files = Annotated[
    list[Path] | None,
    typer.Option("--file", "-f", help="A file to send along; `-` reads stdin. Repeatable."),
]


def group(about: str, panel: str) -> typer.Typer:
    """Return a group of commands that shows its help when called without one."""
    return typer.Typer(
        help=about, no_args_is_help=True, rich_markup_mode=None, rich_help_panel=panel
    )
