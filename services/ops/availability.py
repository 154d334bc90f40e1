"""Mean time to repair and availability of each service, from the entries of the record. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.events.ops import OpsEvent, ServiceRecord

ROOM = 500
DOWN = frozenset({"hang", "host_lost"})
"""Symptoms during which a service does not serve; crashes come with their outcome."""

LONGEST_S = 7 * 86_400.0
"""An outage whose end was never recorded counts no longer than this."""


@dataclass
class _Account:
    """What is known of one service on one host."""

    since: datetime
    failures: int = 0
    repairs_s: list[float] = field(default_factory=list)
    down_s: float = 0.0
    open: dict[str, datetime] = field(default_factory=dict)
    held_since: datetime | None = None
    held_after_s: float = 0.0


class Availability:
    """Takes entries in any order that `History` gives; answers at any time."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[tuple[str, str], _Account] = OrderedDict()

    def take(self, event: OpsEvent) -> None:
        """Add one entry."""
        if not event.service or not event.host or event.service == "supervisor":
            return
        account = self._account(event)
        if event.kind == "outcome" and event.symptom == "crash":
            self._crashed(account, event)
        elif event.kind == "symptom" and event.symptom in DOWN and event.episode:
            account.failures += 1
            account.open[event.episode] = event.at
        elif event.kind in ("recovered", "outcome") and event.episode in account.open:
            self._ended(account, event)
        elif event.kind in ("ready", "released") and account.held_since is not None:
            self._released(account, _between(account.held_since, event.at))

    def told(self, at: datetime) -> tuple[ServiceRecord, ...]:
        """Return every service's record until `at`, by host and service."""
        return tuple(
            self._record(host, service, account, at)
            for (host, service), account in sorted(self._accounts.items())
        )

    def _account(self, event: OpsEvent) -> _Account:
        key = (event.host, event.service)
        account = self._accounts.setdefault(key, _Account(event.at))
        account.since = min(account.since, event.at)
        while len(self._accounts) > ROOM:
            self._accounts.popitem(last=False)
        return account

    def _crashed(self, account: _Account, event: OpsEvent) -> None:
        account.failures += 1
        took = event.duration_s or 0.0
        account.down_s += took
        if event.outcome == "recovered":
            account.repairs_s.append(took)
        else:
            account.held_since, account.held_after_s = event.at, took

    def _released(self, account: _Account, held_s: float) -> None:
        """Close a quarantine: its repair took from the first exit on."""
        account.down_s += held_s
        account.repairs_s.append(account.held_after_s + held_s)
        account.held_since = None

    def _ended(self, account: _Account, event: OpsEvent) -> None:
        """Close an episode at its recovery, by the duration that was measured, if one was."""
        if event.kind == "outcome" and event.outcome != "gone":
            return
        began = account.open.pop(event.episode or "")
        took = event.duration_s if event.duration_s is not None else _between(began, event.at)
        account.down_s += took
        if event.kind == "recovered":
            account.repairs_s.append(took)

    def _record(self, host: str, service: str, account: _Account, at: datetime) -> ServiceRecord:
        running = [*account.open.values(), *([account.held_since] if account.held_since else [])]
        down_s = account.down_s + sum(_between(since, at) for since in running)
        watched_s = max(1.0, (at - account.since).total_seconds(), down_s)
        repairs = account.repairs_s
        mttr: dict[str, Any] = {"mttr_s": round(sum(repairs) / len(repairs), 3)} if repairs else {}
        return ServiceRecord(
            service=service,
            host=host,
            failures=account.failures,
            recovered=len(repairs),
            down_s=round(down_s, 3),
            availability=round(1.0 - down_s / watched_s, 6),
            since=account.since,
            **mttr,
        )


def _between(start: datetime, end: datetime) -> float:
    """Return the seconds between two entries; clocks that were set make no outage of a week."""
    return min(max(0.0, (end - start).total_seconds()), LONGEST_S)
