"""The `sovereign` command: a bus client for people, light to start."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any, NoReturn

import typer

from cli import (
    access,
    ask,
    config,
    doctor,
    events,
    logs,
    match_books,
    mcp,
    models,
    ops,
    reports,
    schema,
    sessions,
    status,
    tasks,
    units,
    up,
)
from cli.root import Root

app = typer.Typer(
    cls=Root,
    help="A crew of AI agents on hardware that you control.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

START, WORK, LOOK, HELP = "Start", "Work", "Look", "Help"

app.command(rich_help_panel=START)(up.up)
app.command(rich_help_panel=START)(up.run)
app.command(rich_help_panel=START)(units.units)
app.command(rich_help_panel=START)(status.status)
app.command(rich_help_panel=START)(doctor.doctor)
app.add_typer(tasks.app, name="task", rich_help_panel=WORK)
app.command(rich_help_panel=WORK)(ask.ask)
app.add_typer(sessions.app, name="session", rich_help_panel=WORK)
app.add_typer(match_books.app, name="match", rich_help_panel=WORK)
app.add_typer(models.app, name="model", rich_help_panel=WORK)
app.command(rich_help_panel=WORK)(mcp.mcp)
app.add_typer(ops.app, name="ops", rich_help_panel=LOOK)
app.add_typer(reports.savings, name="savings", rich_help_panel=LOOK)
app.add_typer(reports.optimization, name="optimization", rich_help_panel=LOOK)
app.command(rich_help_panel=LOOK)(reports.sovereignty)
app.command(rich_help_panel=LOOK)(events.events)
app.command(rich_help_panel=LOOK)(logs.logs)
app.add_typer(config.app, name="config", rich_help_panel=HELP)
app.add_typer(access.app, name="access", rich_help_panel=HELP)
app.command(rich_help_panel=HELP)(schema.schema)


def main() -> NoReturn:
    """Run the command line of this process and leave with its exit code."""
    # nats-py imports aiohttp for WebSocket alone: a third of the time of a short command.
    sys.modules.setdefault("aiohttp", Later("aiohttp"))
    app()
    sys.exit(0)


class Later(ModuleType):
    """Stands in for a module that is imported when something of it is first used."""

    def __getattr__(self, name: str) -> Any:
        """Import the module in earnest and return what was asked of it."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)
