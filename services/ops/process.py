"""One operating-system process: its own session, a log file, and never an orphan."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from shared.signals import OPEN_CIRCUIT

LOG_LIMIT = 5 * 1024 * 1024
"""Bytes after which a log is put aside at the next start; one older log is kept."""

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


class Process:
    """A started process. Its session is its own, so Ctrl-C in a terminal does not reach it."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, log_start: int) -> None:
        self._process = process
        self._log = log
        self._log_start = log_start
        self._killer: asyncio.TimerHandle | None = None
        self.pid = process.pid

    @classmethod
    async def start(cls, argv: Sequence[str], env: Mapping[str, str], log: Path) -> Self:
        """Start `argv` with both outputs appended to `log`; raise `OSError` when it cannot."""
        rotate(log)
        with log.open("ab") as file:
            start = file.tell()
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=dict(env),
                start_new_session=True,
                preexec_fn=_dying_with(os.getpid()),
            )
            return cls(process, log, start)

    @property
    def alive(self) -> bool:
        """Whether the exit has not been seen yet."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Return the exit code, negative for a signal, as soon as the process has left."""
        code = await self._process.wait()
        if self._killer is not None:
            self._killer.cancel()
        return code

    def end(self, grace_s: float) -> None:
        """Ask it to leave now, and kill it after `grace_s` seconds if it has not."""
        if not self.alive:
            return
        _send(self.pid, signal.SIGTERM)
        loop = asyncio.get_running_loop()
        self._killer = loop.call_later(grace_s, self.kill)

    def kill(self) -> None:
        """Kill it and whatever it started, at once."""
        if self.alive:
            _send_group(self.pid, signal.SIGKILL)

    def open_circuit(self) -> None:
        """Tell a service that is ready to refuse requests for a while."""
        if self.alive:
            _send(self.pid, OPEN_CIRCUIT)

    def last_line(self) -> str:
        """Return the last line that this run wrote, or an empty text."""
        return last_line(self._log, self._log_start)


class Owner:
    """Owns one process after the other, at most one at a time."""

    def __init__(self) -> None:
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """The process that lives now, if any."""
        return self._process.pid if self._process is not None and self._process.alive else None

    def kill(self) -> None:
        """Kill the process at once; unless its end was asked for before, it counts as a crash."""
        if self._process is not None:
            self._process.kill()


def _dying_with(parent: int) -> Callable[[], None] | None:
    """Return what the new process does first: ask for SIGTERM when `parent` is gone (Linux)."""
    if _LIBC is None:
        return None
    libc = _LIBC

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _send_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        _send(pid, number)


def rotate(log: Path) -> None:
    """Put a log that has grown too large aside as `<name>.1`."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(log.name + ".1"))


def last_line(log: Path, start: int = 0) -> str:
    """Return the last line with text in it after byte `start`, shortened to 300 characters."""
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(start, end - 8192))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")


def how_it_left(code: int) -> str:
    """Return an exit code in words."""
    if code >= 0:
        return f"left with code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
