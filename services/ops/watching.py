"""The watch of ops: looks at itself first, then at everyone else; only the leader acts."""

from __future__ import annotations

import asyncio
import time

from anyio.abc import TaskGroup

from services.ops.doubt import Doubt
from services.ops.episodes import Episode
from services.ops.healing import Healer
from services.ops.instances import SUPERVISOR, Instance, Instances, Key
from services.ops.leader import Lease
from services.ops.policy import Decision
from services.ops.record import Record
from services.ops.symptoms import (
    PASSIVE,
    Finding,
    Symptom,
    answers,
    dependency,
    host_silence,
    is_calm_again,
    memory,
    silence,
    slowness,
)
from shared.settings import OpsSettings

TICK_S = 0.25


class Watch:
    """Judges every instance a few times a second."""

    def __init__(
        self, own: Key, limits: OpsSettings, instances: Instances, lease: Lease, healer: Healer,
        record: Record,
    ) -> None:  # fmt: skip
        self._own = own
        self._limits = limits
        self._instances = instances
        self._lease = lease
        self._healer = healer
        self._record = record
        self._open: dict[tuple[Key, Symptom], Episode] = {}
        self._started_at = time.monotonic()
        self.doubt = Doubt(2 * limits.beat_s + 0.5, self._started_at)

    async def run(self, tasks: TaskGroup) -> None:
        """Watch until cancelled; episodes run in `tasks`."""
        last = time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            present = time.monotonic()
            self._look_at_self(present, present - last - TICK_S)
            last = present
            if self.doubt.trusted(present):
                self._look_at_all(present, tasks)
            self._instances.forget_gone(present)

    def _look_at_self(self, present: float, late_s: float) -> None:
        own = self._instances.get(self._own)
        heard_at = own.heard_at if own is not None else self._started_at
        if self.doubt.look(present, late_s, present - heard_at):
            self._instances.excuse(present)

    def _look_at_all(self, present: float, tasks: TaskGroup) -> None:
        for instance in self._instances:
            if instance.key == self._own or instance.healing:
                continue
            found = self._judge(instance, present)
            instance.symptom = found[0].symptom if found else None
            if not self._lease.held:
                continue
            active = next((finding for finding in found if finding.symptom not in PASSIVE), None)
            if active is not None:
                instance.healing = True
                tasks.start_soon(self._heal, instance, active)
            for finding in found:
                if finding.symptom in PASSIVE:
                    self._begin(instance, finding)
        if self._lease.held:
            self._end_passive(present)
        else:
            self._open.clear()

    def _judge(self, instance: Instance, present: float) -> list[Finding]:
        """Return what ails an instance, the worst first."""
        host, service, _ = instance.key
        if service == SUPERVISOR:
            others = [i for i in self._instances if i.beat.host == host and i is not instance]
            found = host_silence(instance, others, self._limits, present)
            return [found] if found is not None else []
        if instance.beat.supervised and self._is_deaf(host, present):
            return []  # what is to be said of a silent host is said of its supervisor
        child = self._instances.children(host).get(service, {})
        quiet = silence(instance, child, self._limits, present)
        if quiet is not None:
            return [quiet]
        told = (memory(instance), answers(instance), dependency(instance), slowness(instance))
        return [finding for finding in told if finding is not None]

    def _is_deaf(self, host: str, present: float) -> bool:
        supervisor = self._instances.supervisor_of(host)
        return supervisor is not None and present - supervisor.heard_at > self._limits.pause_s

    def _begin(self, instance: Instance, finding: Finding) -> None:
        """Open an episode that is only watched; a person is called when nobody else can act."""
        key = (instance.key, finding.symptom)
        if key in self._open:
            return
        episode = self._open[key] = Episode(instance, finding, self._record)
        episode.begin()
        alone = finding.symptom in ("lost", "supervisor_lost")
        decision = Decision(None, f"{finding.symptom} is watched, not treated", escalate=alone)
        episode.tell_decision(decision)
        if alone:
            host, service, _ = instance.key
            about = {"host": host, "episode": episode.id, "evidence": {"level": "person"}}
            self._healer.escalation.call(service, finding.symptom, finding.cause, **about)

    def _end_passive(self, present: float) -> None:
        for key, episode in list(self._open.items()):
            if episode.instance.gone:
                episode.tell_gone()
            elif self._is_over(episode, present):
                episode.tell_recovered("none")
            else:
                continue
            del self._open[key]

    def _is_over(self, episode: Episode, present: float) -> bool:
        symptom = episode.finding.symptom
        if symptom == "slow_loop":
            return is_calm_again(episode.instance)
        if symptom == "partition":
            return episode.instance.detector.silence(present) <= self._limits.pause_s
        return all(f.symptom != symptom for f in self._judge(episode.instance, present))

    async def _heal(self, instance: Instance, finding: Finding) -> None:
        try:
            await self._healer.heal(instance, finding)
        finally:
            instance.healing = False
