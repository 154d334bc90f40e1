"""The entries of one illness, under one id."""

from __future__ import annotations

import time
from typing import Any

from services.ops.instances import Instance
from services.ops.policy import Decision
from services.ops.record import Record
from services.ops.symptoms import Finding
from shared.events.ops import OpsKind
from shared.ids import ulid


class Episode:
    """From the symptom to the recovery; every entry carries the symptom and the episode."""

    def __init__(self, instance: Instance, finding: Finding, record: Record) -> None:
        self.instance = instance
        self.finding = finding
        self._record = record
        self._began = time.monotonic()
        self.id = ulid()

    def begin(self) -> None:
        """Record the symptom with its evidence."""
        self.tell("symptom", cause=self.finding.cause, evidence=self.finding.evidence)

    def tell(self, kind: OpsKind, **fields: Any) -> None:
        """Record one entry of this episode."""
        host, service, name = self.instance.key
        about = {"host": host, "instance": name, "episode": self.id}
        self._record.tell(kind, service, **about, symptom=self.finding.symptom, **fields)

    def tell_decision(self, decision: Decision) -> None:
        """Record what was decided and why."""
        evidence = {"escalate": True} if decision.escalate else {}
        remedy = decision.remedy or "none"
        self.tell("decision", remedy=remedy, cause=decision.why, evidence=evidence)

    def tell_recovered(self, remedy: str) -> None:
        """Record the recovery, with the seconds since the symptom was seen."""
        took = time.monotonic() - self._began
        self.tell("recovered", remedy=remedy, duration_s=took, cause=self.finding.cause)

    def tell_gone(self) -> None:
        """Record that there is nobody left to heal."""
        self.tell("outcome", remedy="none", outcome="gone")
