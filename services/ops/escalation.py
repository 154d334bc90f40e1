"""When a person has to look: an entry of the record, the dashboard, and a webhook if one is set."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any, Protocol

from services.ops.record import Record
from shared.events.ops import OpsEvent

AGAIN_S = 300.0
"""The same fault of the same service calls a person at most once in so many seconds."""

ROOM = 1000


class Caller(Protocol):
    """Who takes an escalation further; never waits."""

    def call(self, event: OpsEvent) -> None:
        """Take one."""


class Escalation:
    """Calls people, and not too often."""

    def __init__(self, record: Record, caller: Caller | None) -> None:
        self._record = record
        self._caller = caller
        self._called: OrderedDict[tuple[str, ...], float] = OrderedDict()

    def call(self, service: str, symptom: str, cause: str, **about: Any) -> bool:
        """Record and send one; False when the same was told a short while ago."""
        key = (str(about.get("host", "")), service, symptom)
        present = time.monotonic()
        if present - self._called.get(key, -AGAIN_S) < AGAIN_S:
            return False
        self._called[key] = present
        self._called.move_to_end(key)
        while len(self._called) > ROOM:
            self._called.popitem(last=False)
        event = self._record.tell("escalated", service, symptom=symptom, cause=cause, **about)
        if self._caller is not None:
            self._caller.call(event)
        return True
