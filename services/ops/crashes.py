"""Crashes as the supervisors tell of them: an unplanned exit, and what came after. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from shared.events.ops import OpsEvent

ROOM = 1000


class Crashes:
    """Pairs each unplanned exit with the `ready` or `quarantined` that ends it."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, str], OpsEvent] = OrderedDict()

    def take(self, event: OpsEvent) -> dict[str, Any] | None:
        """Take an entry; return the fields of an `outcome` when it ends a crash."""
        key = (event.host, event.service)
        if event.kind == "exited" and not event.evidence.get("planned"):
            self._remember(key, event)
        if event.kind not in ("ready", "quarantined") or key not in self._open:
            return None
        return _outcome(self._open.pop(key), event)

    def _remember(self, key: tuple[str, str], event: OpsEvent) -> None:
        self._open.setdefault(key, event)
        while len(self._open) > ROOM:
            self._open.popitem(last=False)


def _outcome(exited: OpsEvent, end: OpsEvent) -> dict[str, Any]:
    """Return cause, remedy and outcome; the duration is from the first exit to the end."""
    return {
        "service": exited.service,
        "instance": exited.instance,
        "host": exited.host,
        "symptom": "crash",
        "remedy": "restart",
        "cause": exited.cause,
        "outcome": "recovered" if end.kind == "ready" else "not back",
        "duration_s": max(0.0, (end.at - exited.at).total_seconds()),
        "episode": exited.event_id,
    }
