"""Starting processes: the whole system of this host, or one service of it.

Both replace this process, so that signals and exit codes are those of what was started.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Annotated, NoReturn

import typer

from cli.options import EngineName
from shared.services import SERVICES

Host = Annotated[str | None, typer.Option("--host", help="This host's name on the bus.")]
Engine = Annotated[EngineName | None, typer.Option("--engine", help="What answers the agents.")]
Pull = Annotated[bool, typer.Option("--pull", help="Fetch the model if Ollama lacks it.")]
Nats = Annotated[str | None, typer.Option("--nats", help="The server to use, nats://HOST:PORT.")]


def up(
    services: Annotated[
        list[str] | None, typer.Argument(metavar="SERVICE", help="Some only; else all six.")
    ] = None,
    host: Host = None,
    pull: Pull = False,
    engine: Engine = None,
    nats: Nats = None,
) -> None:
    """Start the bus and the services of this host; Ctrl-C drains and stops them."""
    for service in services or ():
        _check(service)
    _set(SOVEREIGN_HOST=host, SOVEREIGN_ENGINE=engine, SOVEREIGN_NATS__URL=nats)
    _become("services.ops.supervisor", *(services or ()), *(["--pull"] if pull else []))


def run(
    service: Annotated[str, typer.Argument(help="router, agents, match, ops, sessions, dashboard")],
    host: Host = None,
    engine: Engine = None,
    nats: Nats = None,
) -> None:
    """Run one service in this terminal, on the bus that SOVEREIGN_NATS__URL names."""
    _check(service)
    _set(SOVEREIGN_HOST=host, SOVEREIGN_ENGINE=engine, SOVEREIGN_NATS__URL=nats)
    _become(f"services.{service}")


def _check(service: str) -> None:
    if service not in SERVICES:
        raise typer.BadParameter(f"no service {service!r}; there are {', '.join(SERVICES)}")


def _set(**variables: str | None) -> None:
    os.environ.update({name: value for name, value in variables.items() if value is not None})


def _become(module: str, *arguments: str) -> NoReturn:
    """Replace this process by `python -m module` of the same interpreter."""
    from cli.errors import UsageFault

    if importlib.util.find_spec(module) is None:
        raise UsageFault(f"{module} is not part of this installation")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606
