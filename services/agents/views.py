"""The KV bucket `tasks`: the latest view of each task, never an older one over a newer one."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

from nats.errors import Error as NatsError
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError, NotFoundError
from nats.js.kv import KeyValue

from services.agents.record import TaskRecord
from services.agents.summary import view_of
from shared.bus import Bus, decode, encode
from shared.errors import Unavailable
from shared.events.tasks import TaskView
from shared.streams import TASK_VIEWS

log = logging.getLogger(__name__)

Known = tuple[int, int]
"""The bucket's revision of a key and the journal sequence that it shows."""
KEPT = 4096
TOGETHER_S = 0.1
"""Seconds in which the changes of a task are put together: people see no difference."""


class Views:
    """Writes views: `show` soon and together, `store` now."""

    def __init__(self, bus: Bus, bucket: KeyValue) -> None:
        self._bus = bus
        self._bucket = bucket
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._dirty: dict[str, TaskRecord] = {}
        self._wake = asyncio.Event()

    @classmethod
    async def open(cls, bus: Bus) -> Views:
        """Return the views on a bucket that exists."""
        return cls(bus, await bus.js.key_value(TASK_VIEWS.name))

    def show(self, record: TaskRecord) -> None:
        """Have the record stored soon; a later record of the same task takes its place."""
        waiting = self._dirty.get(record.task_id)
        newest = max(waiting.seq if waiting else 0, self._known.get(record.task_id, (0, 0))[1])
        if newest < record.seq:
            self._dirty[record.task_id] = record
            self._wake.set()

    async def run(self) -> None:
        """Store what `show` was given, until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(TOGETHER_S)
            self._wake.clear()
            while self._dirty:
                _, record = self._dirty.popitem()
                try:
                    await self.store(record)
                except (NatsError, TimeoutError, Unavailable) as error:
                    log.warning("view of %s not stored: %s", record.task_id, error)
                    self.show(record)
                    await asyncio.sleep(0.5)

    async def store(self, record: TaskRecord) -> None:
        """Store now, unless a newer view is there."""
        self._dirty.pop(record.task_id, None)
        view = view_of(record)
        known = self._known.get(record.task_id, (0, 0))
        for _ in range(20):
            if known[1] >= record.seq:
                return
            try:
                revision = await self._write(view, known[0])
            except KeyWrongLastSequenceError:
                known = await self._read(record.task_id)
                continue
            self._remember(record.task_id, (revision, record.seq))
            return
        raise Unavailable(f"the view of {record.task_id} cannot be written")

    async def _write(self, view: TaskView, revision: int) -> int:
        return int(await self._bucket.update(view.task_id, encode(view), last=revision))

    async def _read(self, task_id: str) -> Known:
        try:
            entry = await self._bucket.get(task_id)
        except (KeyNotFoundError, NotFoundError):
            return 0, 0
        if entry.value is None or entry.revision is None:
            return 0, 0
        return entry.revision, decode(entry.value, TaskView).seq

    def _remember(self, task_id: str, known: Known) -> None:
        self._known[task_id] = known
        self._known.move_to_end(task_id)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
