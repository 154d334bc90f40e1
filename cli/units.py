"""`sovereign units`: systemd units for this installation, to be read before they are used."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.options import Json
from shared.services import SERVICES

Services = Annotated[
    list[str] | None, typer.Argument(metavar="SERVICE", help="A unit for each; else one for all.")
]
Into = Annotated[
    Path | None, typer.Option("--dir", help="Write them there, for example /etc/systemd/system.")
]
User = Annotated[str, typer.Option("--user", help="The user that they run as.")]
Memory = Annotated[str | None, typer.Option("--memory", help="MemoryMax of each, for example 1G.")]

WATCHDOG_S = 30
"""systemd ends a process whose loop said nothing for so long; it speaks once a second."""

UNIT = """[Unit]
Description={about}
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
WorkingDirectory={folder}
User={user}
Restart=always
RestartSec=1
TimeoutStartSec=180
TimeoutStopSec=30
WatchdogSec={watchdog_s}
KillMode=mixed
LimitNOFILE=65536
{limits}NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={folder}
{environment}
[Install]
WantedBy=multi-user.target
"""


def units(
    services: Services = None, into: Into = None, user: User = "sovereign", memory: Memory = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Print systemd units, or write them with --dir: started at boot, watched, restarted.

    Without a SERVICE it is one unit for `sovereign up`; with some, one each for `sovereign run`,
    on the bus that SOVEREIGN_NATS__URL names.
    """
    from cli.output import emit_json, say

    for service in services or ():
        if service not in SERVICES:
            raise typer.BadParameter(f"no service {service!r}; there are {', '.join(SERVICES)}")
    made = _made(services or [], user, memory)
    if into is not None:
        for name, text in made.items():
            (into / name).write_text(text, encoding="utf-8")
        say(f"next: systemctl daemon-reload && systemctl enable --now {' '.join(made)}")
    if as_json:
        emit_json({"units": made, "folder": into})
    else:
        for name, text in made.items():
            typer.echo(f"# {name}\n{text}" if into is None else str(into / name))


def _made(services: list[str], user: str, memory: str | None) -> dict[str, str]:
    """Return file name to text."""
    if not services:
        text = _unit("Sovereign: the bus and the services of this host", "up", user, memory)
        return {"sovereign.service": text}
    return {
        f"sovereign-{one}.service": _unit(f"Sovereign: {one}", f"run {one}", user, memory)
        for one in services
    }


def _unit(about: str, words: str, user: str, memory: str | None) -> str:
    limits = f"MemoryMax={memory}\n" if memory else ""
    return UNIT.format(
        about=about,
        command=f"{_escaped(str(Path(sys.executable).with_name('sovereign')))} {words}",
        folder=_escaped(str(Path.cwd())),
        user=user,
        watchdog_s=WATCHDOG_S,
        limits=limits,
        environment=_environment(),
    )


def _environment() -> str:
    """Return the settings of this shell as lines, but no secrets: those belong into the file."""
    kept = {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith("SOVEREIGN_") and not _is_secret(name, value)
    }
    return "".join(f'Environment="{name}={_escaped(value)}"\n' for name, value in kept.items())


def _is_secret(name: str, value: str) -> bool:
    return any(word in name for word in ("KEY", "SECRET", "TOKEN")) or "@" in value


def _escaped(text: str) -> str:
    """Return text in which systemd finds no specifier and no end of a quotation."""
    return text.replace("\\", "\\\\").replace("%", "%%").replace('"', '\\"')
