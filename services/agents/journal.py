"""A task's journal on the stream JOURNAL: fenced appends, and reading by folding."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from services.agents.fold import Numbered, extend
from services.agents.record import TaskRecord
from shared.bus import Bus, decode
from shared.errors import Conflict, NotFound, Unavailable
from shared.events.journal import AnyEntry, JournalEntry
from shared.ids import ulid
from shared.reading import read_subject
from shared.subjects import task_journal

STREAM = "JOURNAL"
KEPT = 512
"""Records kept to read only what is new; each is a value that never changes."""
ATTEMPTS = 50
LAGGING = 25
"""Readings, half a second in all, in which a replica may come up with the stream's end."""

WORD_S = 5.0
"""How long a word that was heard may take into the journal: a manager that died is replaced."""


class Stale(Exception):
    """The writer has lost its right: somebody newer goes on with the work."""


class Journal:
    """All journals of one process. Records are only ever a prefix of what is stored."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._known: OrderedDict[str, TaskRecord] = OrderedDict()

    async def find(self, task_id: str) -> TaskRecord | None:
        """Return the task's record as stored now, or None."""
        known = self._known.get(task_id)
        new = await self._after(task_id, known.seq if known else 0)
        return self._keep(extend(known, task_id, new))

    async def recent(self, task_id: str) -> TaskRecord | None:
        """Return a record that may lack the latest entries, without asking when one is known.

        Good enough for whoever will append: a fenced append finds out.
        """
        return self._known.get(task_id) or await self.find(task_id)

    async def read(self, task_id: str) -> TaskRecord:
        """Return the task's record as stored now; raise `NotFound` for an unknown task."""
        record = await self.find(task_id)
        if record is None:
            raise NotFound(f"there is no task {task_id}", field="task_id")
        return record

    async def entries(self, task_id: str) -> list[Numbered]:
        """Return every entry of a task as stored now, in order."""
        return await self._after(task_id, 0)

    async def reread(self, task_id: str) -> TaskRecord:
        """Return the record read from its first entry on, whatever was remembered.

        After a lost race: what is remembered may be ahead of the stream when an acknowledgement
        told a wrong sequence, and then every append from there on would be refused.
        """
        self._known.pop(task_id, None)
        return await self.read(task_id)

    async def taken_back(self, task_id: str) -> TaskRecord:
        """Return the record with the person's word in it that stopped the work.

        Whoever works hears that word at once and a manager has to write it down first; where none
        does within `WORD_S` the record is returned as it stands.
        """
        record = await self.read(task_id)
        give_up = time.monotonic() + WORD_S
        while record.cancelled is None and record.end is None and time.monotonic() < give_up:
            await asyncio.sleep(0.02)
            record = await self.read(task_id)
        return record

    async def open(self, task_id: str, entry: AnyEntry) -> TaskRecord:
        """Append the very first entry; raise `Conflict` when the task exists."""
        return await self._append(None, task_id, entry)

    async def append(self, record: TaskRecord, entry: AnyEntry) -> TaskRecord:
        """Append after exactly `record`; raise `Conflict` when somebody wrote since."""
        return await self._append(record, record.task_id, entry)

    async def insist(
        self, record: TaskRecord, entry: AnyEntry, entitled: Callable[[TaskRecord], bool]
    ) -> TaskRecord:
        """Append as long as the writer is entitled after what others wrote; else raise `Stale`."""
        for _ in range(ATTEMPTS):
            if not entitled(record):
                raise Stale(record.task_id)
            try:
                return await self.append(record, entry)
            except Conflict:
                record = await self._later(record)
        raise Unavailable(f"the journal of {record.task_id} is too busy")

    async def _later(self, record: TaskRecord) -> TaskRecord:
        """Return a record beyond `record`; a replica that lags is asked again.

        When there is nothing beyond, `record` itself is doubted.
        """
        for _ in range(LAGGING):
            found = await self.read(record.task_id)
            if found.seq > record.seq:
                return found
            await asyncio.sleep(0.02)
        return await self.reread(record.task_id)

    async def _append(self, record: TaskRecord | None, task_id: str, entry: AnyEntry) -> TaskRecord:
        after = record.seq if record else 0
        try:
            ack = await self._bus.publish(
                task_journal(task_id), JournalEntry(entry), ulid(), expected_seq=after
            )
        except Conflict:
            mine = await self._mine(task_id, after, entry)
            if mine is None:
                raise
            return mine
        new = self._keep(extend(record, task_id, [(ack.seq, entry)]))
        return new or await self.read(task_id)

    async def _mine(self, task_id: str, after: int, entry: AnyEntry) -> TaskRecord | None:
        """Return the record if the entry is stored: its acknowledgement was lost on the way."""
        if not any(stored == entry for _, stored in await self._after(task_id, after)):
            return None
        return await self.read(task_id)

    async def _after(self, task_id: str, seq: int) -> list[Numbered]:
        stored = await read_subject(self._bus, STREAM, task_journal(task_id), seq)
        return [(each.seq, decode(each.data, JournalEntry).root) for each in stored]

    def _keep(self, record: TaskRecord | None) -> TaskRecord | None:
        """Remember the longest prefix known of the latest tasks."""
        if record is None:
            return None
        known = self._known.get(record.task_id)
        if known is None or known.seq < record.seq:
            self._known[record.task_id] = record
        self._known.move_to_end(record.task_id)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return record
