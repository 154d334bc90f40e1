"""One host: the embedded bus, its services, their commands; up in parallel, down in order."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence

import anyio
from anyio.abc import TaskGroup

from services.ops import keys, leftovers
from services.ops.children import Child, Spec
from services.ops.commands import Desk
from services.ops.good_settings import GoodSettings
from services.ops.hearing import Hearing
from services.ops.local import LocalEar
from services.ops.nats_server import NatsServer
from services.ops.placing import Placing
from services.ops.record import Record
from services.ops.storage import Storage
from services.ops.watch import watch
from shared import bootstrap, notify, rpc
from shared.beats import VERSION, Heart
from shared.bus import Bus
from shared.settings import Settings, config_file

DOWN_ORDER = (("dashboard", "agents"), ("router", "match", "sessions"), ("ops",))
"""First those that take work, then those that they lean on, last the one that watches."""

LAST_S = 2.0
"""Each later group has at least this long, even if the first used up the time to drain."""

Command = Callable[[str], tuple[str, ...]]


def module_command(service: str) -> tuple[str, ...]:
    """Return how a service is started."""
    return (sys.executable, "-m", f"services.{service}")


class Host:
    """Everything that this supervisor owns."""

    def __init__(self, settings: Settings, services: Sequence[str], command: Command) -> None:
        self.settings = settings
        self.record = Record(settings.host, "supervisor")
        self._command = command
        self.good = GoodSettings(config_file(), settings.data_dir, self.record)
        self.children: dict[str, Child] = {}
        self._ear = LocalEar(self.children)
        for name in services:
            self.children[name] = self.child(name)
        self._placing = Placing(settings, self.children, self.child, self.good)
        self.hearing = Hearing(settings.host, self.children)
        self.bus: Bus | None = None
        self._heart: Heart | None = None
        self._speaking = anyio.CancelScope()
        self._instance = settings.instance or "supervisor-1"
        self._nats: NatsServer | None = None
        if settings.nats.url is None:
            self._nats = NatsServer(settings, self.record, self.note)
        self._storage = Storage(settings.data_dir, self.record, self._nats)

    async def start_bus(self) -> None:
        """Start the embedded server, if there is one, and wait until it answers."""
        if self._nats is not None:
            await self._nats.start()

    async def start(self, tasks: TaskGroup) -> None:
        """Declare the streams, then start all services at once and listen to them."""
        if self._nats is not None:
            tasks.start_soon(self._nats.run)
        bus = self.bus = await Bus.connect(keys.own(self.settings, "supervisor"), "supervisor")
        await bootstrap.ensure(bus, self.settings.nats.replicas)
        await self.hearing.listen(bus)
        self._ear.open()
        self._placing.open(bus, tasks)
        for child in self.children.values():
            tasks.start_soon(child.run)
        await self._open_desk(bus, tasks)
        heart = self._heart = self._make_heart(bus)
        tasks.start_soon(self._speak, bus, heart)
        tasks.start_soon(watch, self.children, self.hearing, self.record)
        tasks.start_soon(self._storage.run)

    def tell_ready(self) -> None:
        """Tell the process manager above, if there is one, that this host is up."""
        if self._heart is not None:
            self._heart.notifier.tell(notify.READY)

    async def stop(self) -> None:
        """Drain the services group after group, then leave the bus and stop its server."""
        if self._heart is not None:
            self._heart.notifier.tell(notify.STOPPING)
        end = time.monotonic() + self.settings.ops.drain_s
        for group in (*DOWN_ORDER, tuple(self.children)):
            await self._stop_group(group, max(LAST_S, end - time.monotonic()))
        self._ear.close()
        if self.bus is not None:
            await self._leave(self.bus)
        if self._nats is not None:
            await self._nats.close()
        leftovers.forget(self.settings.data_dir)

    def kill(self) -> None:
        """Kill everything at once."""
        for child in self.children.values():
            child.close(0.0)
            child.kill()
        if self._nats is not None:
            self._nats.kill()

    def note(self) -> None:
        """Write down the pids that are alive."""
        pids = [child.pid for child in self.children.values()]
        pids.append(self._nats.pid if self._nats is not None else None)
        leftovers.note(self.settings.data_dir, [pid for pid in pids if pid is not None])

    async def _leave(self, bus: Bus) -> None:
        self.record.tell("stopped", "supervisor", cause="planned stop")
        with anyio.move_on_after(LAST_S):
            await self.record.flush(bus)
            if self._heart is not None:
                await self._heart.goodbye()
        self._speaking.cancel()
        await bus.close()

    async def _speak(self, bus: Bus, heart: Heart) -> None:
        """Beat and publish the record until this host leaves the bus."""
        with self._speaking:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(heart.run)
                tasks.start_soon(self.record.run, bus)

    async def _open_desk(self, bus: Bus, tasks: TaskGroup) -> None:
        about = {"host": self.settings.host, "instance": self._instance}
        endpoints = await rpc.register(bus, "supervisor", VERSION, about, tasks)
        await Desk(self.settings, self.children, self.record, self._placing).open(endpoints)

    def _make_heart(self, bus: Bus) -> Heart:
        who = ("supervisor", self._instance, self.settings.host)
        heart = Heart(bus, who, self.settings.ops.beat_s)
        heart.info = self._info
        heart.state = "ready"
        return heart

    def _info(self) -> dict[str, object]:
        children = {name: child.describe() for name, child in self.children.items()}
        offers = list(self.settings.ops.offers)
        return {"children": children, "reasons": self._storage.reasons, "offers": offers}

    async def _stop_group(self, names: Sequence[str], grace_s: float) -> None:
        group = [self.children[name] for name in names if name in self.children]
        for child in group:
            child.close(grace_s)
        for child in group:
            await child.gone.wait()

    def child(self, name: str) -> Child:
        """Return a service of this host, not started yet."""
        log = self.settings.data_dir / "logs" / f"{name}.log"
        environment = (
            dict(os.environ)
            | keys.environment(self.settings, name)
            | {
                "SOVEREIGN_PARENT_PID": str(os.getpid()),
                "SOVEREIGN_INSTANCE": f"{name}-1",
                "SOVEREIGN_HOST": self.settings.host,
                notify.VARIABLE: self._ear.address,
            }
        )
        spec = Spec(name, self._command(name), environment, log)
        child = Child(spec, self.settings.ops, self.record, lambda: self._spawned(name))
        child.fell = self._fell
        return child

    def _spawned(self, name: str) -> None:
        self.good.started(name)
        self.note()

    def _fell(self, child: Child) -> None:
        """Put the last good settings back when a service falls under a file that is not proven."""
        if self.settings.ops.roll_back and self.good.is_suspect(child.name):
            self._placing.revive(child)
