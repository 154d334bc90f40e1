"""Writes `docs/commands.md` from the command tree: `python -m cli.reference > docs/commands.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command

from cli.main import app
from cli.root import NAME

HEAD = """# Commands

Made from the code by `python -m cli.reference`; a test fails when it drifts.

- Every read has `--json`: stdout is one JSON document, or one a line for streams.
  Everything else goes to stderr.
- Exit code 0: fine. 1: failed, unhealthy, or a task that failed.
  2: wrong usage, a wrong setting or field. 130: Ctrl-C.
- The bus is the one that `SOVEREIGN_NATS__URL` names, else the embedded one:
  run the command in the folder of `sovereign up`, whose `data/keys` hold the owner's key.
- Colours only on a terminal, and never with `NO_COLOR`.
  Text from the bus cannot steer a terminal.
- `sovereign --install-completion` sets up completion for your shell.
"""


def reference() -> str:
    """Return the whole page."""
    root = get_command(app)
    context = root.make_context(NAME, [], resilient_parsing=True)
    return "\n".join([HEAD, *_sections(root, context)])


def _sections(command: Any, context: Any) -> Iterator[str]:
    """Yield one section for each command below `command`, in the order of the help."""
    for name, child in getattr(command, "commands", {}).items():
        below = child.context_class(child, info_name=name, parent=context)
        if hasattr(child, "commands"):
            yield from _sections(child, below)
        else:
            yield _section(child, below)


def _section(command: Any, context: Any) -> str:
    """Return usage, purpose, and a table of arguments and options."""
    usage = command.get_usage(context).removeprefix("Usage: ")
    described = [one for one in command.get_params(context) if one.name != "help"]
    records = [one.get_help_record(context) for one in described]
    rows = [f"| `{_cell(left)}` | {_cell(right)} |" for left, right in filter(None, records)]
    table = ["| argument, option | meaning |", "|---|---|", *rows, ""]
    title = f"## {context.command_path}"
    return "\n".join([title, "", f"`{' '.join(usage.split())}`", "", command.help, "", *table])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    typer.echo(reference().rstrip("\n"))
