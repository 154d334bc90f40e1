"""The `sovereign` command: a bus client for people, light to start."""

from __future__ import annotations

import importlib.util
import sys
from typing import NoReturn

import typer

from cli import (
    ask,
    config,
    doctor,
    events,
    match,
    models,
    ops,
    reports,
    schema,
    sessions,
    status,
    tasks,
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
app.command(rich_help_panel=START)(status.status)
app.command(rich_help_panel=START)(doctor.doctor)
app.add_typer(tasks.app, name="task", rich_help_panel=WORK)
app.command(rich_help_panel=WORK)(ask.ask)
app.add_typer(sessions.app, name="session", rich_help_panel=WORK)
app.add_typer(match.app, name="match", rich_help_panel=WORK)
app.add_typer(models.app, name="model", rich_help_panel=WORK)
app.add_typer(ops.app, name="ops", rich_help_panel=LOOK)
app.command(rich_help_panel=LOOK)(reports.savings)
app.add_typer(reports.optimization, name="optimization", rich_help_panel=LOOK)
app.command(rich_help_panel=LOOK)(reports.sovereignty)
app.command(rich_help_panel=LOOK)(events.events)
app.add_typer(config.app, name="config", rich_help_panel=HELP)
app.command(rich_help_panel=HELP)(schema.schema)


def main() -> NoReturn:
    """Run the command line of this process and leave with its exit code."""
    _defer("aiohttp")
    app()
    sys.exit(0)


def _defer(name: str) -> None:
    """Let `import name` cost nothing until it is used.

    nats-py imports aiohttp for WebSocket alone; that is a third of the time of a short command.
    """
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
