"""The logs in `<data_dir>/logs`: their last lines, and what is added to them."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cli.output import tell
from shared.errors import NotFound
from shared.services import SERVICES
from shared.settings import load

LOOK_S = 0.25
"""Seconds between two looks at the files: what a file gains wakes nobody up."""


@dataclass
class Log:
    """A log that is read on from where it was left; a file that is made anew is read anew."""

    path: Path
    label: str
    file: BinaryIO

    def news(self) -> None:
        """Print what was added since the last time, whole lines only."""
        if self._replaced():
            self.file.close()
            self.file = self.path.open("rb")
        while True:
            place = self.file.tell()
            line = self.file.readline()
            if not line.endswith(b"\n"):
                self.file.seek(place)
                return
            _print(self.label, line)

    def _replaced(self) -> bool:
        """Tell whether the name means another file now, or this one was cut."""
        if not self.path.exists():
            return False
        there, here = self.path.stat(), Path(f"/dev/fd/{self.file.fileno()}").stat()
        return there.st_ino != here.st_ino or there.st_size < self.file.tell()


def show(service: str, lines: int, follow: bool) -> None:
    """Print the last `lines` of one service or of each; with `follow` go on until Ctrl-C."""
    logs = [_open(path, labelled=not service) for path in paths(service)]
    try:
        for log in logs:
            for line in deque(log.file, maxlen=lines):
                _print(log.label, line)
        while follow:
            for log in logs:
                log.news()
            time.sleep(LOOK_S)
    finally:
        for log in logs:
            log.file.close()


def paths(service: str) -> list[Path]:
    """Return the logs that there are; raise `NotFound` with what is there for an unknown one."""
    folder = load().data_dir / "logs"
    there = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if not service and there:
        return list(there.values())
    if service in there:
        return [there[service]]
    if there:
        raise NotFound(f"no log of {service!r} in {folder}; there are {', '.join(there)}")
    names = "" if not service or service in SERVICES else f" ({service!r} is no service)"
    raise NotFound(f"no logs in {folder}{names}: run this in the folder of `sovereign up`")


def _open(path: Path, *, labelled: bool) -> Log:
    return Log(path, f"{path.stem.ljust(9)}  " if labelled else "", path.open("rb"))


def _print(label: str, line: bytes) -> None:
    tell(f"{label}{line.decode(errors='replace').rstrip()}")
