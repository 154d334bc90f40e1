"""The buckets `tasks` and `waiting`, followed by sequence; and the end of the record of ops.

A watch would be an ephemeral consumer, which a restarting server forgets. One direct get a second
brings every key that changed since the last one, and history 1 keeps it small.
"""

from __future__ import annotations

import logging

import anyio
from nats.errors import Error as NatsError
from nats.js.errors import APIError
from pydantic import BaseModel, ValidationError

from services.dashboard.store import OPS_EVENTS, Store
from shared.bus import Bus, decode
from shared.errors import SovereignError
from shared.events import Body, OpsEvent, Reason, TaskView
from shared.reading import Stored, read_subject
from shared.streams import OPS, TASK_VIEWS, WAITING

log = logging.getLogger(__name__)

LOOK_S = 1.0
FIRST_LOOK = 4000
"""Keys that are read when the dashboard starts: more would only be thrown away again."""


class Records:
    """Follows both buckets into the store."""

    def __init__(self, bus: Bus, store: Store) -> None:
        self._bus = bus
        self._store = store
        self._seen: dict[str, int] = {}
        self._reconnects = -1

    async def run(self) -> None:
        """Follow for ever; a server that is away is asked again."""
        while True:
            try:
                await self.look()
            except (SovereignError, NatsError, APIError, TimeoutError) as error:
                log.debug("records: %s", error)
            await anyio.sleep(LOOK_S)

    async def look(self) -> None:
        """Take what changed since the last look; after a reconnect, take all of it anew."""
        reconnects = self._bus.nc.stats["reconnects"]
        if reconnects != self._reconnects:
            self._seen.clear()
            await self._recall()
            self._reconnects = reconnects
        for stored in await self._changes(TASK_VIEWS.name):
            self._take_task(stored)
        for stored in await self._changes(WAITING.name):
            self._take_wait(stored)

    async def _changes(self, bucket: str) -> list[Stored]:
        stream = f"KV_{bucket}"
        if bucket not in self._seen:
            self._seen[bucket] = await self._start(stream)
        found = await read_subject(self._bus, stream, f"$KV.{bucket}.>", self._seen[bucket])
        if found:
            self._seen[bucket] = found[-1].seq
        return found

    async def _start(self, stream: str, most: int = FIRST_LOOK) -> int:
        last = (await self._bus.js.stream_info(stream)).state.last_seq
        return max(0, last - most)

    async def _recall(self) -> None:
        """Read the end of the record of ops, which began before this dashboard did."""
        after = await self._start(OPS.name, OPS_EVENTS)
        for stored in await read_subject(self._bus, OPS.name, "ops.event.*", after):
            self._take(stored, OpsEvent)

    def _take_task(self, stored: Stored) -> None:
        if not stored.data:
            self._store.crew.forget(stored.subject.rsplit(".", 1)[-1])
            return
        self._take(stored, TaskView)

    def _take(self, stored: Stored, kind: type[BaseModel]) -> None:
        try:
            self._store.fold(decode(stored.data, kind))
        except SovereignError as error:
            self._store.refuse(stored.subject, error.message)

    def _take_wait(self, stored: Stored) -> None:
        task_id, _, step_id = stored.subject.removeprefix(f"$KV.{WAITING.name}.").partition(".")
        try:
            reason = Waiting.model_validate_json(stored.data).known() if stored.data else None
        except ValidationError:
            self._store.refuse(stored.subject, "not a reason")
            return
        self._store.crew.take_wait(task_id, step_id, reason)


class Waiting(Body):
    """What the manager notes of a step that waits: the code stands under `reason`."""

    reason: str
    message: str = ""

    def known(self) -> Reason:
        """Return it in the words of the contract."""
        return Reason(code=self.reason, message=self.message or self.reason)
