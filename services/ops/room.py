"""The ops room: everything that one ops process knows and does, put together."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime

from anyio.abc import TaskGroup
from nats.errors import Error as NatsError

from services.ops import reasons
from services.ops.acting import Desk
from services.ops.availability import Availability
from services.ops.banner import engine_of
from services.ops.burying import ADVISED, Undertaker
from services.ops.crashes import Crashes
from services.ops.escalation import Escalation
from services.ops.healing import Healer
from services.ops.history import History
from services.ops.instances import SUPERVISOR, Instances, status_of
from services.ops.keeping import Keeper
from services.ops.leader import Lease
from services.ops.moving import Mover
from services.ops.policy import REMEDIES
from services.ops.record import Record
from services.ops.remedies import Commander
from services.ops.strangers import Strangers
from services.ops.watching import Watch
from services.ops.webhook import webhook
from shared.clock import now
from shared.errors import SovereignError
from shared.events.health import Beat
from shared.events.ops import (
    InstanceStatus,
    OpsEvent,
    OpsHistory,
    OpsHistoryAsk,
    OpsLessons,
    OpsStatus,
)
from shared.events.reports import Empty
from shared.ids import ulid
from shared.service import Service
from shared.signing import Signer, seed
from shared.work import Worker

log = logging.getLogger(__name__)

CATCH_UP_S = 15.0
GIVE_BACK_S = 2.0


class Room:
    """One ops process."""

    def __init__(self, service: Service) -> None:
        self._settings = service.settings
        self._bus = service.bus
        limits = service.settings.ops
        own = (service.host, "ops", service.instance)
        self.record = Record(service.host, f"ops/{service.instance}")
        self.instances = Instances(limits.pause_s)
        self.strangers = Strangers(self.record)
        name = f"{service.host}/{service.instance}/{ulid()}"
        self.lease = Lease(service.bus, name, self._lead_changed)
        signer = Signer(seed(service.settings.data_dir / "keys" / "ops.nk"))
        commander = Commander(service.bus, signer, self.lease, f"ops/{service.instance}")
        self._mover = Mover(self.instances, commander, self.record)
        self.healer = Healer(service.bus, self.instances, self.record, commander, self._mover)
        self._webhook = webhook(limits)
        self.healer.escalation = Escalation(self.record, self._webhook)
        self.keeper = Keeper(
            service.bus, service.settings, self.instances, self.lease, commander, self.record,
            self.healer.escalation,
        )  # fmt: skip
        self._availability = Availability()
        self.history = History(self._learn)
        self.desk = Desk(service.bus, self.instances, self.lease, commander, self.record)
        self._watch = Watch(own, limits, self.instances, self.lease, self.healer, self.record)
        self._crashes = Crashes()
        self._engines: dict[str, tuple[str, str]] = {}
        self._live_from: datetime = now()

    def start(self, tasks: TaskGroup) -> None:
        """Start the loops of this room."""
        tasks.start_soon(self.record.run, self._bus)
        tasks.start_soon(self.lease.run)
        tasks.start_soon(self._watch.run, tasks)
        tasks.start_soon(self.keeper.run)
        tasks.start_soon(self._catch_up)
        tasks.start_soon(self._give_back)
        if self._webhook is not None:
            tasks.start_soon(self._webhook.run)
        tasks.start_soon(Worker(self._bus, ADVISED, Undertaker(self._bus).bury).run)

    def hear(self, beat: Beat) -> None:
        """Take one beat."""
        if self.instances.hear(beat, time.monotonic()) is None:
            self.strangers.refused(f"{beat.service}/{beat.instance} on {beat.host}")
        if beat.service == SUPERVISOR:
            self.instances.expect(beat.host, time.monotonic())
        if beat.service == "router":
            self._hear_engine(beat)

    def refuse(self, subject: str) -> None:
        """Count a beat that is malformed, or says that it is somebody else's."""
        self.instances.refused += 1
        self.strangers.refused(subject)

    async def status(self, _: Empty) -> OpsStatus:
        """Answer `ops.status`."""
        found = self._statuses(time.monotonic())
        checks = self.keeper.last
        told = (
            *reasons.of_instances(found),
            *reasons.of_record(self.record.waiting),
            *reasons.of_checks(checks),
        )
        return OpsStatus(
            leader=self.lease.leader.rpartition("/")[0],
            revision=self.lease.revision,
            instances=found,
            healthy=not told,
            reasons=told,
            actions=self.healer.actions,
            last_check=self.keeper.last_at,
            services=self._availability.told(now()),
            checks=checks,
        )

    async def newest(self, ask: OpsHistoryAsk) -> OpsHistory:
        """Answer `ops.history`."""
        return self.history.newest(ask)

    async def lessons(self, _: Empty) -> OpsLessons:
        """Answer `ops.lessons`."""
        return OpsLessons(lessons=self.healer.lessons.told(REMEDIES.items()))

    def _statuses(self, at: float) -> tuple[InstanceStatus, ...]:
        """Return everyone who beats, and those of whom only their supervisor knows."""
        found = []
        silent = {host: dict(self.instances.children(host)) for host in self.instances.hosts()}
        for instance in self.instances:
            host, service, _ = instance.key
            if instance.beat.state != "goodbye":
                said = silent.get(host, {}).pop(service, {})
                found.append(status_of(instance, said, at))
        for host, children in silent.items():
            found += [_unheard(host, name, said) for name, said in children.items()]
        return tuple(sorted(found, key=lambda i: (i.host, i.service, i.instance)))

    def _lead_changed(self, leads: bool) -> None:
        outcome = "leads" if leads else "leads no more"
        self.record.tell("leader", "ops", outcome=outcome, evidence={"rev": self.lease.revision})

    def _learn(self, event: OpsEvent) -> None:
        """Take an entry of the record: a lesson, the end of a crash, a call for a person."""
        self.healer.lessons.learn(event)
        self._availability.take(event)
        ended = self._crashes.take(event)
        if not self.lease.held or event.at < self._live_from:
            return
        if ended is not None:
            self.record.tell("outcome", **ended)
        if event.kind == "quarantined" and event.by == "supervisor":
            self._call_for(event)

    def _call_for(self, event: OpsEvent) -> None:
        """Tell a person of a service that its supervisor gave up for now."""
        about = {"host": event.host, "instance": event.instance, "evidence": {"level": "person"}}
        self.healer.escalation.call(event.service, "crash_loop", event.cause, **about)

    def _hear_engine(self, beat: Beat) -> None:
        engine = engine_of(beat.info)
        if engine is None:
            return
        present = (engine.engine, engine.state)
        before = self._engines.get(beat.host, present)
        self._engines[beat.host] = present
        if before != present and self.lease.held:
            cause = f"{before[0]} ({before[1]}) to {present[0]} ({present[1]})"
            self.record.tell("engine", "router", host=beat.host, cause=cause)

    async def _give_back(self) -> None:
        """Return guests whose host is well again, where the settings say so."""
        while self._settings.ops.give_back:
            await asyncio.sleep(GIVE_BACK_S)
            if self.lease.held:
                await self._mover.give_back()

    async def _catch_up(self) -> None:
        """Read now and then what an outage may have kept from the live ear."""
        while True:
            await asyncio.sleep(CATCH_UP_S)
            try:
                await self.history.rebuild(self._bus)
            except (SovereignError, NatsError, TimeoutError) as error:
                log.debug("history: %s", error)


def _unheard(host: str, name: str, said: dict[str, object]) -> InstanceStatus:
    """Return the status of a service that its supervisor knows and nobody hears."""
    return InstanceStatus(
        service=name,
        instance=f"{name}-1",
        host=host,
        state=str(said.get("state", "unknown")),
        silent_s=0.0,
        uptime_s=0.0,
        loop_lag_s=0.0,
        rss_bytes=0,
        restarts=int(str(said.get("restarts", 0))),
        info={"reason": said.get("reason", "")},
    )
