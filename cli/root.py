"""The top of the command tree: help in groups, failures as one line with the right exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

from cli.errors import report

NAME = "sovereign"


class Root(TyperGroup):
    """Runs a command; whatever fails becomes a line on stderr and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; leave the process with its code unless told to return it."""
        try:
            code = super().main(args, NAME, complete_var, False, windows_expand_args, **extra)
        except BaseException as error:
            code = report(error)
        if standalone_mode:
            sys.exit(code if isinstance(code, int) else 0)
        return code

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands under the headings that they were given, in order."""
        panels: dict[str, list[tuple[str, str]]] = {}
        width = max(len(name) for name in self.commands)
        for name, command in self.commands.items():
            panel = getattr(command, "rich_help_panel", None) or "Commands"
            line = command.get_short_help_str(limit=200)
            panels.setdefault(str(panel), []).append((name.ljust(width), line))
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl(rows)
