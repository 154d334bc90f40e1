"""What services tell their supervisor past the bus: that their loop runs (sd_notify).

The socket is abstract and the kernel names the sender's pid, so nobody can speak for another.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from shared.notify import ALIVE

_CREDENTIALS = struct.Struct("3i")
MOST_BYTES = 4096
AT_ONCE = 100


class Speaker(Protocol):
    """A child whose process may speak here."""

    local_at: float

    @property
    def pid(self) -> int | None:
        """The process that lives now, if any."""


class LocalEar:
    """A datagram socket for the children of one supervisor; on Linux only."""

    def __init__(self, speakers: Mapping[str, Speaker]) -> None:
        self._speakers = speakers
        self._socket: socket.socket | None = None
        self.address = ""
        self._clock: Callable[[], float] = time.monotonic
        if sys.platform.startswith("linux"):
            self.address = f"@sovereign-{os.getpid()}-{secrets.token_hex(4)}"

    def open(self) -> None:
        """Listen from now on, in the running loop."""
        if not self.address:
            return
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(f"\0{self.address[1:]}")
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def close(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _read(self) -> None:
        """Take what waits, at most so much that the loop goes on."""
        if self._socket is None:
            return
        for _ in range(AT_ONCE):
            try:
                data, ancillary, _, _ = self._socket.recvmsg(
                    MOST_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size)
                )
            except (BlockingIOError, InterruptedError):
                return
            self._take(data, _pid(ancillary))

    def _take(self, data: bytes, pid: int | None) -> None:
        if pid is None or ALIVE.encode() not in data.split(b"\n"):
            return
        for speaker in self._speakers.values():
            if speaker.pid == pid:
                speaker.local_at = self._clock()


def _pid(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """Return the sender's pid as the kernel knows it."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            return int(_CREDENTIALS.unpack(data[: _CREDENTIALS.size])[0])
    return None
