"""What is written in one turn of the loop leaves in one packet.

An ASGI server writes the head of an answer and its body one after the other; a packet for each
costs a system call here and wakes the caller twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class Gathering(asyncio.Transport):
    """Hands on to `transport` at the end of the turn, or before it is closed; all else at once."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._held: list[bytes] = []
        self._soon: Callable[..., object] = asyncio.get_running_loop().call_soon

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep what is to be sent until the end of the turn."""
        if not self._held:
            self._soon(self._send)
        self._held.append(bytes(data))

    def close(self) -> None:
        """Send what is held, then close when it is out."""
        self._send()
        self._transport.close()

    def abort(self) -> None:
        """Hang up at once."""
        self._held.clear()
        self._transport.abort()

    def is_closing(self) -> bool:
        """Tell whether it is closed, or about to be."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Take nothing in for a while."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take in again."""
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the connection knows of itself."""
        return self._transport.get_extra_info(name, default)

    def _send(self) -> None:
        if self._held:
            data, self._held = b"".join(self._held), []
            self._transport.write(data)
