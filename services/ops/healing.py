"""One episode: a symptom, the views, a decision, a remedy, and the proof that it worked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from services.ops.instances import Instance, Instances, Key
from services.ops.intensity import Intensity
from services.ops.lessons import Lessons
from services.ops.pinging import answers
from services.ops.policy import Decision, Views, decide
from services.ops.record import Record
from services.ops.remedies import Commander
from services.ops.returning import is_back
from services.ops.symptoms import Finding, is_calm_again
from shared.bus import Bus
from shared.errors import SovereignError
from shared.events.ops import OpsKind, Verb
from shared.ids import ulid

VERIFY_S = 20.0
"""A remedy has failed when the service is not ready again after this long."""

SUPERVISOR_HEARD_S = 3.0
REMEDIES_IN_WINDOW = 5
REMEDY_WINDOW_S = 300.0


class Healer:
    """Heals one instance at a time; knows what was done lately."""

    def __init__(
        self, bus: Bus, instances: Instances, record: Record, commander: Commander
    ) -> None:
        self._bus = bus
        self._instances = instances
        self._record = record
        self._commander = commander
        self._recent: dict[Key, Intensity] = {}
        self.lessons = Lessons()
        self.actions = 0

    async def heal(self, instance: Instance, finding: Finding) -> None:
        """Go through one episode; the end is recorded whatever it is."""
        episode = Episode(instance, finding, self._record)
        episode.tell("symptom", cause=finding.cause, evidence=finding.evidence)
        tried: list[Verb] = []
        while True:
            decision = decide(finding.symptom, await self._views(instance, tried), self.lessons)
            episode.tell_decision(decision)
            if decision.remedy is None:
                await episode.wait_by_itself()
                return
            tried.append(decision.remedy)
            if await self._try(episode, decision) or decision.remedy == "quarantine":
                return

    async def _views(self, instance: Instance, tried: Sequence[Verb]) -> Views:
        key = instance.key
        supervisor = self._instances.supervisor_of(key[0])
        heard_s = time.monotonic() - supervisor.heard_at if supervisor is not None else None
        intensity = self._recent.setdefault(key, Intensity(REMEDIES_IN_WINDOW, REMEDY_WINDOW_S))
        return Views(
            supervisor=heard_s is not None and heard_s < SUPERVISOR_HEARD_S,
            answers=await answers(self._bus, key),
            room=intensity.recent(time.monotonic()) < REMEDIES_IN_WINDOW,
            tried=tried,
        )

    async def _try(self, episode: Episode, decision: Decision) -> bool:
        """Command the remedy and wait for the proof; tell whether it worked."""
        verb = decision.remedy
        if verb is None:
            return False
        host, service, _ = episode.instance.key
        self._recent[episode.instance.key].failed(time.monotonic())
        self.actions += 1
        began = time.monotonic()
        try:
            await self._commander.command(verb, (host, service), episode.finding.cause)
            worked = verb != "quarantine" and await self._is_back(episode.instance)
            outcome = "recovered" if worked else "not back"
        except SovereignError as error:
            worked, outcome = False, f"not done: {error.message}"
        took = time.monotonic() - began
        episode.tell("outcome", remedy=verb, outcome=outcome, duration_s=took)
        if worked:
            episode.tell_recovered(verb)
        return worked

    async def _is_back(self, ill: Instance) -> bool:
        return await is_back(self._instances, ill.key, ill.beat.boot, VERIFY_S)


class Episode:
    """The entries of one illness, under one id."""

    def __init__(self, instance: Instance, finding: Finding, record: Record) -> None:
        self.instance = instance
        self.finding = finding
        self._record = record
        self._began = time.monotonic()
        self._id = ulid()

    def tell(self, kind: OpsKind, **fields: Any) -> None:
        """Record one entry of this episode."""
        host, service, name = self.instance.key
        about = {"host": host, "instance": name, "episode": self._id}
        self._record.tell(kind, service, **about, symptom=self.finding.symptom, **fields)

    def tell_decision(self, decision: Decision) -> None:
        """Record what was decided and why."""
        evidence = {"escalate": "a person"} if decision.escalate else {}
        remedy = decision.remedy or "none"
        self.tell("decision", remedy=remedy, cause=decision.why, evidence=evidence)

    def tell_recovered(self, remedy: str) -> None:
        """Record the recovery, with the seconds since the symptom was seen."""
        took = time.monotonic() - self._began
        self.tell("recovered", remedy=remedy, duration_s=took, cause=self.finding.cause)

    async def wait_by_itself(self) -> None:
        """Wait, without a remedy, until it is well again or gone; record which."""
        while True:
            await self.instance.changed.wait()
            if self.instance.gone:
                self.tell("outcome", remedy="none", outcome="gone")
                return
            if self.finding.symptom != "slow_loop" or is_calm_again(self.instance):
                self.tell_recovered("none")
                return
