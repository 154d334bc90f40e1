"""The ops room: everything that one ops process knows and does, put together."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime

from anyio.abc import TaskGroup
from nats.errors import Error as NatsError

from services.ops import checks, reasons
from services.ops.acting import Desk
from services.ops.banner import engine_of
from services.ops.burying import ADVISED, Undertaker
from services.ops.crashes import Crashes
from services.ops.healing import Healer
from services.ops.history import History
from services.ops.instances import Instances, status_of
from services.ops.leader import Lease
from services.ops.record import Record
from services.ops.remedies import Commander
from services.ops.watching import Watch
from shared.clock import now
from shared.errors import SovereignError
from shared.events.health import Beat
from shared.events.ops import InstanceStatus, OpsEvent, OpsHistory, OpsHistoryAsk, OpsStatus
from shared.events.reports import Empty
from shared.ids import ulid
from shared.service import Service
from shared.signing import Signer, seed
from shared.work import Worker

log = logging.getLogger(__name__)

FIRST_CHECK_S = 10.0
CATCH_UP_S = 15.0


class Room:
    """One ops process."""

    def __init__(self, service: Service) -> None:
        self._settings = service.settings
        self._bus = service.bus
        limits = service.settings.ops
        own = (service.host, "ops", service.instance)
        self.record = Record(service.host, f"ops/{service.instance}")
        self.instances = Instances(limits.pause_s)
        name = f"{service.host}/{service.instance}/{ulid()}"
        self.lease = Lease(service.bus, name, self._lead_changed)
        signer = Signer(seed(service.settings.data_dir / "keys" / "ops.nk"))
        commander = Commander(service.bus, signer, self.lease, f"ops/{service.instance}")
        self.healer = Healer(service.bus, self.instances, self.record, commander)
        self.history = History(self._learn)
        self.desk = Desk(service.bus, self.instances, self.lease, commander, self.record)
        self._watch = Watch(own, limits, self.instances, self.lease, self.healer)
        self._crashes = Crashes()
        self._engines: dict[str, tuple[str, str]] = {}
        self._live_from: datetime = now()
        self._last_check: datetime | None = None

    def start(self, tasks: TaskGroup) -> None:
        """Start the loops of this room."""
        tasks.start_soon(self.record.run, self._bus)
        tasks.start_soon(self.lease.run)
        tasks.start_soon(self._watch.run, tasks)
        tasks.start_soon(self._check_for_ever)
        tasks.start_soon(self._catch_up)
        tasks.start_soon(Worker(self._bus, ADVISED, Undertaker(self._bus).bury).run)

    def hear(self, beat: Beat) -> None:
        """Take one beat."""
        self.instances.hear(beat, time.monotonic())
        if beat.service == "router":
            self._hear_engine(beat)

    async def status(self, _: Empty) -> OpsStatus:
        """Answer `ops.status`."""
        found = self._statuses(time.monotonic())
        told = (*reasons.of_instances(found), *reasons.of_record(self.record.waiting))
        return OpsStatus(
            leader=self.lease.leader.rpartition("/")[0],
            revision=self.lease.revision,
            instances=found,
            healthy=not told,
            reasons=told,
            actions=self.healer.actions,
            last_check=self._last_check,
        )

    async def newest(self, ask: OpsHistoryAsk) -> OpsHistory:
        """Answer `ops.history`."""
        return self.history.newest(ask)

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
        """Take an entry of the record: a lesson, or the end of a crash."""
        self.healer.lessons.learn(event)
        ended = self._crashes.take(event)
        if ended is not None and self.lease.held and event.at >= self._live_from:
            self.record.tell("outcome", **ended)

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

    async def _check_for_ever(self) -> None:
        wait_s = min(FIRST_CHECK_S, self._settings.ops.check_s)
        while True:
            await asyncio.sleep(wait_s)
            wait_s = self._settings.ops.check_s if self._last_check else wait_s
            if self.lease.held:
                await self._check()

    async def _catch_up(self) -> None:
        """Read now and then what an outage may have kept from the live ear."""
        while True:
            await asyncio.sleep(CATCH_UP_S)
            try:
                await self.history.rebuild(self._bus)
            except (SovereignError, NatsError, TimeoutError) as error:
                log.debug("history: %s", error)

    async def _check(self) -> None:
        try:
            found = await checks.run_all(self._bus, self._settings.data_dir)
        except (SovereignError, OSError) as error:
            self.record.tell("check", "ops", outcome="failed", cause=str(error))
            return
        self._last_check = now()
        for check in found:
            outcome = "warn" if check.advice else "ok"
            about = {"outcome": outcome, "cause": check.advice, "evidence": check.seen}
            self.record.tell("check", check.name, **about)


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
