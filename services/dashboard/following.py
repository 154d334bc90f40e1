"""One task followed from its journal and its live subject, until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from nats.aio.msg import Msg

from services.dashboard.desk import Desk
from services.dashboard.journal import cut, entries
from shared.subjects import task_journal, task_live
from shared.subscriptions import subscribed

LOOK_AGAIN_S = 10.0
WAITING = 1000
"""Live pieces that wait for a slow reader; further ones are left out, and counted."""


@dataclass
class News:
    """What was told since the last look."""

    told: asyncio.Queue[dict[str, Any] | None] = field(
        default_factory=lambda: asyncio.Queue(WAITING)
    )
    left_out: int = 0

    async def live(self, message: Msg) -> None:
        """Take one piece; what is no JSON is left out."""
        try:
            self._put(orjson.loads(message.data))
        except orjson.JSONDecodeError:
            self.left_out += 1

    async def journal(self, message: Msg) -> None:
        """Note that the journal has grown; it is read from the stream, with its sequence."""
        self._put(None)

    async def next(self) -> dict[str, Any] | None:
        """Return the next live piece, or None when it is time to look into the journal."""
        try:
            return await asyncio.wait_for(self.told.get(), LOOK_AGAIN_S)
        except TimeoutError:
            return None

    def _put(self, piece: dict[str, Any] | None) -> None:
        try:
            self.told.put_nowait(piece)
        except asyncio.QueueFull:
            self.left_out += 1


@asynccontextmanager
async def _listening(desk: Desk, task_id: str) -> AsyncIterator[News]:
    news = News()
    wanted = ((task_live(task_id), news.live), (task_journal(task_id), news.journal))
    async with subscribed(desk.bus.nc, wanted):
        yield news


async def follow(desk: Desk, task_id: str, after: int) -> AsyncIterator[bytes]:
    """Yield server-sent events: `journal` (with an id), `live`, and at last `end`.

    It begins after the entry `after`, so a reader that was cut off goes on where it was. Live
    pieces are told once and have no id. A comment every few seconds keeps the line open.
    """
    async with _listening(desk, task_id) as news:
        while True:
            state = None
            for line in await entries(desk.bus, task_id, after):
                after = line.seq
                state = line.entry.get("state") if line.kind == "task_finished" else None
                yield frame("journal", line.as_json(), line.seq)
            if state is not None:
                end = {"task_id": task_id, "state": state, "result": f"/tasks/{task_id}"}
                yield frame("end", end)
                return
            piece = await news.next()
            while piece is not None:
                yield frame("live", cut(piece, 20_000))
                piece = await news.next()
            yield b": here\n\n"


def frame(kind: str, data: dict[str, Any], number: int | None = None) -> bytes:
    """Return one event on the wire; JSON holds no line end, so data is one line."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {kind}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"
