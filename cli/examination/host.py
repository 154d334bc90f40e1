"""Checks of this host: Python, packages, data folder, disk, ports."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import NamedTuple

from cli.findings import Finding, failed, ok, warned
from shared.services import SERVICES
from shared.settings import Settings

OLDEST = (3, 11)
DISK_FAIL = 500_000_000
DISK_WARN = 5_000_000_000
"""Bytes free: a journal cannot grow in the first, a model does not fit in the second."""

PROBE_S = 0.5
NO = b'"unknown_url"'
"""The router's door has no such path, and says so in its own words; it wants no key for that."""


def python() -> Finding:
    """Check the version of Python."""
    found = platform.python_version()
    if sys.version_info < OLDEST:
        return failed("python", f"{found} is too old", "install Python 3.11 or later")
    return ok("python", f"{found} at {sys.executable}")


def packages() -> Finding:
    """Check which services can run here: each one's packages come with its extra."""
    missing = {service: gone for service in SERVICES if (gone := _missing(service))}
    if not missing:
        return ok("packages", "all six services can run here")
    extras = ",".join(missing)
    names = "; ".join(f"{service} lacks {', '.join(gone)}" for service, gone in missing.items())
    return warned("packages", names, f"pip install 'sovereign[{extras}]', if they shall run here")


def _missing(service: str) -> list[str]:
    """Return the distributions of a service's extra that are not installed."""
    try:
        wanted = requires("sovereign") or []
    except PackageNotFoundError:
        return []
    names = [
        re.split(r"[\s<>=!~;\[(]", line, maxsplit=1)[0]
        for line in wanted
        if re.search(rf"extra\s*==\s*['\"]{service}['\"]", line)
    ]
    return [name for name in names if not _installed(name)]


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def local(settings: Settings) -> list[Finding]:
    """Check the data folder and the disk that it lies on."""
    return [_data(settings.data_dir), _disk(settings.data_dir)]


def _data(folder: Path) -> Finding:
    """Check that the folder, or the nearest one above it that exists, can be written."""
    at = _existing(folder.absolute())
    fix = "choose another folder with SOVEREIGN_DATA_DIR, or give yourself the right to write"
    if not at.is_dir():
        return failed("data", f"{at} is not a folder", fix)
    if not os.access(at, os.W_OK | os.X_OK):
        return failed("data", f"{at} cannot be written", fix)
    return ok("data", f"{folder.absolute()}{'' if at == folder.absolute() else ' (will be made)'}")


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(_existing(folder.absolute())).free
    line = f"{free / 1e9:.1f} GB free"
    if free < DISK_FAIL:
        return failed("disk", line, "make room, or move SOVEREIGN_DATA_DIR to a larger disk")
    if free < DISK_WARN:
        return warned("disk", line, "a model of 8 billion parameters takes about 5 GB")
    return ok("disk", line)


async def ports(settings: Settings) -> list[Finding]:
    """Check that each port is free, or already answered by what belongs there."""
    board, router = settings.dashboard, settings.router
    door = ("door port", router.door_host, router.door_port, "SOVEREIGN_ROUTER__DOOR_PORT")
    return [
        await _port(Port("dashboard port", board.host, board.port, "SOVEREIGN_DASHBOARD__PORT")),
        await _port(Port(*door, ours=NO)),
    ]


class Port(NamedTuple):
    """An HTTP port; `ours` is how our answer to `GET /healthz` begins, or what stands in it."""

    name: str
    host: str
    port: int
    variable: str
    ours: bytes = b"HTTP/1.1 200 "


async def _port(door: Port) -> Finding:
    """Check one HTTP port: shut, nobody there, or ours."""
    if door.port == 0:
        return ok(door.name, f"shut ({door.variable}=0)")
    try:
        answer = await asyncio.wait_for(_healthz(door.host, door.port), PROBE_S)
    except (OSError, TimeoutError):
        return await _silent(door)
    if door.ours in answer:
        return ok(door.name, f"{door.port}: ours, running")
    line = f"{door.port} is taken by another program"
    return failed(door.name, line, f"set {door.variable} to a free port")


async def _silent(door: Port) -> Finding:
    """Tell a free port from one that is held by something that does not speak HTTP."""
    try:
        server = await asyncio.start_server(lambda _r, _w: None, door.host, door.port)
    except OSError as error:
        line = f"{door.port}: {error.strerror or error}"
        return failed(door.name, line, f"set {door.variable} to a free port")
    server.close()
    await server.wait_closed()
    return ok(door.name, f"{door.port}: free")


async def _healthz(host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET /healthz HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        head = await reader.read(2000)
        return head + await reader.read(2000) if head.endswith(b"\r\n\r\n") else head
    finally:
        writer.close()
