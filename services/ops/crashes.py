"""Crashes as the supervisors tell of them: an unplanned exit, and what came after. Pure.

The length of an outage is summed from the durations that the supervisor measured with its
monotonic clock, so that a step of the wall clock does not change it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from shared.events.ops import OpsEvent

ROOM = 1000


@dataclass
class Open:
    """A crash that is not over: its first exit, and the seconds that went by since."""

    exited: OpsEvent
    spent_s: float = 0.0
    ordered_s: float = 0.0


class Crashes:
    """Pairs each unplanned exit with the `ready` or `quarantined` that ends it."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, str], Open] = OrderedDict()

    def take(self, event: OpsEvent) -> dict[str, Any] | None:
        """Take an entry; return the fields of an `outcome` when it ends a crash."""
        key = (event.host, event.service)
        if event.kind == "exited" and not event.evidence.get("planned"):
            self._remember(key, event)
        known = self._open.get(key)
        if known is None:
            return None
        if event.kind == "restarted":
            known.ordered_s = event.duration_s or 0.0
        if event.kind not in ("ready", "quarantined"):
            return None
        del self._open[key]
        return _outcome(known, event)

    def _remember(self, key: tuple[str, str], event: OpsEvent) -> None:
        known = self._open.get(key)
        if known is not None:
            lived_s = event.evidence.get("lived_s", 0.0)
            known.spent_s += known.ordered_s + (lived_s if isinstance(lived_s, int | float) else 0)
            return
        self._open[key] = Open(event)
        while len(self._open) > ROOM:
            self._open.popitem(last=False)


def _outcome(known: Open, end: OpsEvent) -> dict[str, Any]:
    """Return cause, remedy and outcome; the duration is from the first exit to the end."""
    exited = known.exited
    return {
        "service": exited.service,
        "instance": exited.instance,
        "host": exited.host,
        "symptom": "crash",
        "remedy": "restart",
        "cause": exited.cause,
        "outcome": "recovered" if end.kind == "ready" else "not back",
        "duration_s": known.spent_s + (end.duration_s or 0.0),
        "episode": exited.event_id,
    }
