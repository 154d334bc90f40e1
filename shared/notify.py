"""Words to the process manager above (sd_notify): ready, alive, stopping.

systemd, and Sovereign's own supervisor, give a datagram socket in NOTIFY_SOCKET. What goes
there does not pass the bus, so it tells a process that is cut off from one that hangs.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

VARIABLE = "NOTIFY_SOCKET"
READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"


class Notifier:
    """Tells whoever started this process; without a socket it tells nobody."""

    def __init__(self, address: str | None = None) -> None:
        given = os.environ.get(VARIABLE, "") if address is None else address
        known = given if hasattr(socket, "AF_UNIX") else ""
        self._address = f"\0{known[1:]}" if known.startswith("@") else known

    def tell(self, *words: str) -> None:
        """Send one datagram; a manager that is gone or full is no reason to stop."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto("\n".join(words).encode(), self._address)
