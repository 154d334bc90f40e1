"""The settings file: the last good one is kept, and put back when a new one makes services fall.

A file is good when every service was started under it and has been ready for a while.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path

from services.ops.record import Record
from shared.clock import now
from shared.errors import Refused

log = logging.getLogger(__name__)

KEPT = "last-good.toml"


class GoodSettings:
    """One host's `sovereign.toml` and its last good state in `<data_dir>/settings`."""

    def __init__(self, file: Path, folder: Path, record: Record) -> None:
        self._file = file.absolute()
        self._kept = folder / "settings" / KEPT
        self._record = record
        self._started: dict[str, str] = {}
        self._seen = (0, 0)

    def started(self, service: str) -> None:
        """Note under which file a service was just started."""
        self._started[service] = digest(self._file)

    def is_suspect(self, service: str) -> bool:
        """Tell whether the service was started under another file than the last good one."""
        return self._kept.exists() and self._started.get(service) != digest(self._kept)

    def keep(self, services: Iterable[str]) -> bool:
        """Keep the present file as good if all `services` run under it; tell whether it is new."""
        stamp = _stamp(self._file)
        if stamp == self._seen:
            return False
        present = digest(self._file)
        if not present or any(self._started.get(name) != present for name in services):
            return False
        self._seen = stamp
        if digest(self._kept) == present:
            return False
        self._kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(self._kept, self._file.read_bytes())
        return True

    def roll_back(self, cause: str) -> Path:
        """Put the last good file back and keep the bad one beside it; return where that is.

        Raises `Refused` when there is no other good file.
        """
        if not self._kept.exists() or digest(self._kept) == digest(self._file):
            raise Refused("no other settings file is known to be good", field="roll_back")
        bad = self._file.with_name(f"{self._file.name}.bad-{now().astimezone(UTC):%Y%m%dT%H%M%SZ}")
        if self._file.exists():
            _write(bad, self._file.read_bytes())
        _write(self._file, self._kept.read_bytes())
        line = f"the last good settings file is back; the bad one is {bad.name}"
        self._record.tell("rolled_back", "supervisor", cause=cause, outcome=line)
        return bad


def digest(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, or an empty text when there is none."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def _stamp(file: Path) -> tuple[int, int]:
    """Return what tells cheaply that a file was written: its time and its size."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _write(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read (it may hold keys), whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(data)
    fresh.replace(path)
