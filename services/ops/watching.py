"""The watch of ops: looks at itself first, then at everyone else; only the leader acts."""

from __future__ import annotations

import asyncio
import time

from anyio.abc import TaskGroup

from services.ops.doubt import Doubt
from services.ops.healing import Healer
from services.ops.instances import Instance, Instances, Key
from services.ops.leader import Lease
from services.ops.symptoms import Finding, silence, slowness
from shared.settings import OpsSettings

TICK_S = 0.25


class Watch:
    """Judges every instance a few times a second."""

    def __init__(
        self, own: Key, limits: OpsSettings, instances: Instances, lease: Lease, healer: Healer
    ) -> None:
        self._own = own
        self._limits = limits
        self._instances = instances
        self._lease = lease
        self._healer = healer
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
            finding = self._judge(instance, present)
            instance.symptom = finding.symptom if finding is not None else None
            if finding is not None and self._lease.held:
                instance.healing = True
                tasks.start_soon(self._heal, instance, finding)

    def _judge(self, instance: Instance, present: float) -> Finding | None:
        host, service, _ = instance.key
        child = self._instances.children(host).get(service, {})
        return silence(instance, child, self._limits, present) or slowness(instance)

    async def _heal(self, instance: Instance, finding: Finding) -> None:
        try:
            await self._healer.heal(instance, finding)
        finally:
            instance.healing = False
