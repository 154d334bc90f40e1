"""What must hold before anything is started; each failure is one line that names its setting."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from shared.bus import reachable
from shared.errors import InvalidSetting
from shared.settings import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")
URL_WAIT_S = 5.0


def check_ports(settings: Settings, services: Sequence[str]) -> None:
    """Raise `InvalidSetting` for a port that is taken, or a bus that would be open to all."""
    nats, board = settings.nats, settings.dashboard
    if nats.url is None:
        if nats.host not in LOOPBACK:
            line = f"SOVEREIGN_NATS__HOST: {nats.host} is not loopback; the embedded server is"
            raise InvalidSetting(f"{line} for this host alone", field="SOVEREIGN_NATS__HOST")
        check_port("SOVEREIGN_NATS__PORT", nats.host, nats.port)
    if "dashboard" in services:
        check_port("SOVEREIGN_DASHBOARD__PORT", board.host, board.port)


def check_port(variable: str, host: str, port: int) -> None:
    """Raise `InvalidSetting`, naming `variable`, when nothing can listen on `host:port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            line = f"{variable}: cannot listen on {host}:{port}: {error.strerror or error}"
            raise InvalidSetting(line, field=variable) from None


async def check_url(settings: Settings, wait_s: float = URL_WAIT_S) -> None:
    """Raise `InvalidSetting` when the named server accepts no connection for `wait_s` seconds."""
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        if await reachable(settings.nats_url, timeout_s=max(0.1, end - time.monotonic())):
            return
    line = f"SOVEREIGN_NATS__URL: no server answers at {settings.nats_url} in {wait_s:g} s"
    raise InvalidSetting(line, field="SOVEREIGN_NATS__URL")


def check_data_dir(folder: Path) -> None:
    """Make the data folder; raise `InvalidSetting` when nothing can be written there."""
    probe = folder / f".writable-{os.getpid()}"
    try:
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        line = f"SOVEREIGN_DATA_DIR: {folder} cannot be written: {error.strerror or error}"
        raise InvalidSetting(line, field="SOVEREIGN_DATA_DIR") from None


def lock(folder: Path) -> IO[bytes]:
    """Return the lock on the data folder, held until closed; raise when another has it."""
    file = (folder / "supervisor.lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        line = f"SOVEREIGN_DATA_DIR: another supervisor already runs on {folder}"
        raise InvalidSetting(line, field="SOVEREIGN_DATA_DIR") from None
    return file
