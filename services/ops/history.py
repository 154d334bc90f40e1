"""The newest entries of stream OPS in memory, rebuilt at the start and after an outage."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import islice

from pydantic import ValidationError

from shared.bus import Bus
from shared.events.ops import OpsEvent, OpsHistory, OpsHistoryAsk
from shared.reading import read_subject
from shared.streams import OPS

ROOM = 1000
SUBJECT = OPS.subjects[0]


class History:
    """Entries by id, so that one that is heard twice counts once; `told` gets each new one."""

    def __init__(self, told: Callable[[OpsEvent], None]) -> None:
        self._told = told
        self._events: OrderedDict[str, OpsEvent] = OrderedDict()
        self._seen_seq = 0

    async def rebuild(self, bus: Bus) -> None:
        """Read what the stream holds beyond what was read before, at most the newest entries."""
        last_seq = (await bus.js.stream_info(OPS.name)).state.last_seq
        after = max(self._seen_seq, last_seq - ROOM, 0)
        for stored in await read_subject(bus, OPS.name, SUBJECT, after):
            self._seen_seq = stored.seq
            self.take(stored.data)

    def take(self, data: bytes) -> None:
        """Add an entry as it was published; what is not an entry is passed over."""
        try:
            event = OpsEvent.model_validate_json(data)
        except ValidationError:
            return
        if event.event_id in self._events:
            return
        self._events[event.event_id] = event
        while len(self._events) > ROOM:
            self._events.popitem(last=False)
        self._told(event)

    def newest(self, ask: OpsHistoryAsk) -> OpsHistory:
        """Return the entries that were asked for, newest first."""
        in_time = sorted(self._events.values(), key=lambda event: event.at)
        found = (
            event
            for event in reversed(in_time)
            if ask.service in (None, event.service) and ask.kind in (None, event.kind)
        )
        return OpsHistory(events=tuple(islice(found, ask.limit)))
