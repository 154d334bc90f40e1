"""Whether this host can keep what the bus is told: room on its disk, and a server that writes.

nats-server gives up a stream at its first failed write and refuses it from then on, even when
the disk has room again (2.15: `Critical write error`); nothing but its log tells, and nothing but
a new start helps. So the log is read, and the server started anew once there is room.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from pathlib import Path

from services.ops.nats_server import NatsServer
from services.ops.record import Record
from shared.errors import Unavailable

LOOK_S = 3.0
LEAST_BYTES = 200 * 1024**2
LEAST_SHARE = 0.05
SHARE_BYTES = 5 * 1024**3
"""A share of a large disk is enough at this many bytes: 4 % of 4 TB are no shortage."""

ROOM_BYTES = 64 * 1024**2
"""What must be free before a new start is worth it; on a small disk a quarter of it."""

AGAIN_S = 30.0
"""Seconds between two new starts."""

TAIL_BYTES = 64 * 1024
_REFUSAL = re.compile(
    rb"^\[\d+\] \S+ \S+ \[ERR\] ((?:Filestore|JetStream)\b.*"
    rb"(?:ritical write error|no space left|DISABLED).*)$",
    re.M,
)


def shortage(folder: Path, least_bytes: int = LEAST_BYTES) -> str:
    """Return what is short on the disk of `folder`: less than 200 MB or 5 %; else nothing."""
    usage = shutil.disk_usage(folder)
    least = max(least_bytes, min(int(usage.total * LEAST_SHARE), SHARE_BYTES))
    if usage.free >= least:
        return ""
    return f"{usage.free // 1024**2} MB are free in {folder}, {least // 1024**2} MB are wanted"


def has_room(folder: Path) -> bool:
    """Tell whether a server that ran out of space can work again."""
    usage = shutil.disk_usage(folder)
    return usage.free >= min(ROOM_BYTES, usage.total // 4)


class Refusals:
    """Failed writes in the log of a nats-server, each told once."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._seen = self._size()

    def skip(self) -> None:
        """Forget what was written until now."""
        self._seen = self._size()

    def look(self) -> str:
        """Return the newest refusal since the last look, or nothing."""
        size = self._size()
        if size == self._seen:
            return ""
        start = 0 if size < self._seen else self._seen  # a smaller one is a new file
        self._seen = size
        with self._log.open("rb") as file:
            file.seek(max(start, size - TAIL_BYTES))
            found = _REFUSAL.findall(file.read())
        return found[-1].decode(errors="replace")[:300] if found else ""

    def _size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0


class Storage:
    """Looks every few seconds; `reasons` is what ails now, and goes with each beat."""

    def __init__(self, folder: Path, record: Record, server: NatsServer | None) -> None:
        self._folder = folder
        self._record = record
        self._server = server
        self._refusals = Refusals(folder / "nats" / "nats.log")
        self._renewed_at = -AGAIN_S
        self._short = ""
        self._refused = ""

    @property
    def reasons(self) -> list[str]:
        """Return one line for each thing that ails, none when all is well."""
        short = f"disk_low: {self._short}" if self._short else ""
        refused = f"bus_refuses: {self._refused}" if self._refused else ""
        return [line for line in (short, refused) if line]

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Look once; record what changed, and start the server anew when that can help."""
        self._see_disk(await asyncio.to_thread(shortage, self._folder))
        if self._server is None:
            return
        self._see_refusal(await asyncio.to_thread(self._refusals.look))
        if self._refused and has_room(self._folder) and self._may_renew():
            await self._renew(self._server)

    def _see_disk(self, short: str) -> None:
        before, self._short = self._short, short
        if short and not before:
            self._record.tell("symptom", "supervisor", symptom="disk_low", cause=short)
        if before and not short:
            self._record.tell("recovered", "supervisor", symptom="disk_low", cause=before)

    def _see_refusal(self, refused: str) -> None:
        if refused and not self._refused:
            self._record.tell("symptom", "nats", symptom="bus_refuses", cause=refused)
        self._refused = refused or self._refused

    def _may_renew(self) -> bool:
        return time.monotonic() - self._renewed_at >= AGAIN_S

    async def _renew(self, server: NatsServer) -> None:
        self._renewed_at = time.monotonic()
        cause = f"the disk has room again; before: {self._refused}"
        try:
            await server.renew(cause)
        except Unavailable as error:
            self._record.tell("bus", "nats", cause=cause, outcome=f"not back: {error.message}")
            return
        self._refusals.skip()
        self._refused = ""
