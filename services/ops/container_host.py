"""The supervisor of containers: `SOVEREIGN_OPS__DRIVER=docker`.

Each container is a host of its own, with one service. This process speaks for all of them: it
beats as their supervisor, takes the signed commands that are for them, and has the engine do what
they say. Starting again what left is the engine's own matter (its restart policy).
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import anyio
import orjson
from anyio.abc import TaskGroup
from nats.aio.msg import Msg

from services.ops import keys
from services.ops.commands import REFUSALS_RECORDED, trusted_keys
from services.ops.engine_socket import Container, Engine
from services.ops.intensity import Intensity
from services.ops.record import Record
from shared.beats import Heart
from shared.bus import Bus, decode, encode
from shared.errors import InvalidInput, InvalidSetting, Refused, SovereignError
from shared.events.health import Beat
from shared.events.ops import CommandReply, OpsCommand, SignedCommand
from shared.services import SERVICES
from shared.settings import Settings, host_token
from shared.signals import OPEN_CIRCUIT
from shared.signing import Verifier
from shared.subjects import ops_command

log = logging.getLogger(__name__)

GRACE_S = 1.0
COMMANDS = "ops.command.*"


@dataclass
class Ward:
    """One container in care: its own verifier, the beat that speaks for it, what was heard."""

    container: Container
    heart: Heart
    verifier: Verifier
    scope: anyio.CancelScope
    beat: Beat | None = None
    held: str = ""

    def describe(self) -> dict[str, Any]:
        """Return what the beat says of its one service."""
        running = self.container.running
        ready = running and self.beat is not None and self.beat.state == "ready"
        state = self.held or ("ready" if ready else "starting" if running else "backoff")
        pid = self.beat.pid if running and self.beat is not None else None
        name = {"instance": self.beat.instance} if self.beat is not None else {}
        return {"state": state, "pid": pid, "restarts": self.container.restarts} | name


class ContainerHost:
    """Looks at the engine once a beat; knows its wards by host name."""

    def __init__(self, settings: Settings, engine: Engine, record: Record) -> None:
        self._settings = settings
        self._engine = engine
        self._record = record
        self._wards: dict[str, Ward] = {}
        self._refusals = Intensity(REFUSALS_RECORDED, 60.0)
        self._away = ""
        self._tasks: TaskGroup | None = None

    async def run(self, tasks: TaskGroup) -> None:
        """Work until cancelled; raise `Unavailable` when no engine answers at the start."""
        self._tasks = tasks
        await asyncio.to_thread(self._engine.containers)
        bus = await Bus.connect(keys.own(self._settings, "supervisor"), "supervisor")
        await bus.nc.subscribe("health.beat.*.*", cb=self._hear)
        await bus.nc.subscribe(COMMANDS, cb=self._take)
        tasks.start_soon(self._record.run, bus)
        try:
            while True:
                await self._look(bus, tasks)
                await asyncio.sleep(self._settings.ops.beat_s)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(2.0):
                for ward in self._wards.values():
                    await ward.heart.goodbye()
                await bus.close()

    async def _look(self, bus: Bus, tasks: TaskGroup) -> None:
        """See which containers there are, and what became of them."""
        try:
            found = await asyncio.to_thread(self._engine.containers)
        except SovereignError as error:
            if not self._away:
                self._record.tell("symptom", "supervisor", symptom="engine_gone", cause=str(error))
            self._away = str(error)
            return
        if self._away:
            self._record.tell("recovered", "supervisor", symptom="engine_gone", cause=self._away)
            self._away = ""
        present = {host_token(one.hostname): one for one in found if one.service in SERVICES}
        for name in set(self._wards) - set(present):
            await self._let_go(name)
        for name, container in present.items():
            self._see(name, container, bus, tasks)

    def _see(self, name: str, container: Container, bus: Bus, tasks: TaskGroup) -> None:
        ward = self._wards.get(name)
        if ward is None:
            self._wards[name] = self._adopt(name, container, bus, tasks)
            return
        before, ward.container = ward.container, container
        about = {"host": name, "instance": container.id[:12]}
        if before.running and (not container.running or before.started_at != container.started_at):
            cause = ward.held or f"left with code {container.exit_code}"
            evidence = {"code": container.exit_code, "planned": bool(ward.held)}
            self._record.tell("exited", container.service, cause=cause, evidence=evidence, **about)
        if container.running and before.started_at != container.started_at:
            ward.held, ward.beat = "", None
            self._record.tell("restarted", container.service, **about)

    def _adopt(self, name: str, container: Container, bus: Bus, tasks: TaskGroup) -> Ward:
        who = ("supervisor", f"docker-{name[:50]}", name)
        heart = Heart(bus, who, self._settings.ops.beat_s)
        heart.state = "ready"
        verifier = Verifier(trusted_keys(self._settings.data_dir / "keys"), name)
        ward = Ward(container, heart, verifier, anyio.CancelScope())
        heart.info = lambda: {"children": {container.service: ward.describe()}, "driver": "docker"}
        tasks.start_soon(_beat, ward)
        return ward

    async def _let_go(self, name: str) -> None:
        ward = self._wards.pop(name)
        ward.scope.cancel()
        await ward.heart.goodbye()
        self._record.tell("stopped", ward.container.service, host=name, cause="it was removed")

    async def _hear(self, message: Msg) -> None:
        try:
            beat = decode(message.data, Beat)
        except InvalidInput:
            return
        ward = self._wards.get(beat.host)
        if ward is None or beat.service != ward.container.service:
            return
        if beat.state == "ready" and (ward.beat is None or ward.beat.state != "ready"):
            self._record.tell("ready", beat.service, host=beat.host, instance=beat.instance)
        ward.beat = beat

    async def _take(self, message: Msg) -> None:
        """Answer a command for one of the wards; others are for other supervisors."""
        ward = self._wards.get(message.subject.rpartition(".")[2])
        if ward is None:
            return
        try:
            signed = decode(message.data, SignedCommand)
            reply = await self._obey(ward, message.subject, signed)
        except SovereignError as error:
            if self._refusals.failed(asyncio.get_running_loop().time()):
                cause = f"command refused: {error.message}"
                self._record.tell("refused", cause=cause, evidence={"field": error.field})
            await _answer(message, orjson.dumps(error.envelope()))
        else:
            await _answer(message, encode(reply))

    async def _obey(self, ward: Ward, subject: str, signed: SignedCommand) -> CommandReply:
        if subject != ops_command(host_token(ward.container.hostname)):
            raise Refused("the subject is not this host's", field="host")
        command = ward.verifier.check(subject, signed)
        if command.service != ward.container.service:
            raise Refused(f"no service {command.service} in that container", field="service")
        work = self._work(ward, command)
        if self._tasks is not None:
            self._tasks.start_soon(self._do, command, work)
        detail = f"{command.verb} {command.service}: the engine is told"
        return CommandReply(command_id=command.command_id, accepted=True, detail=detail)

    async def _do(self, command: OpsCommand, work: Callable[[], None]) -> None:
        """Have the engine do it, which may take as long as the grace; record what fails."""
        try:
            await asyncio.to_thread(work)
        except SovereignError as error:
            about = {"host": command.host, "remedy": command.verb, "cause": command.reason}
            outcome = f"not done: {error.message}"
            self._record.tell("outcome", command.service, outcome=outcome, **about)

    def _work(self, ward: Ward, command: OpsCommand) -> Callable[[], None]:
        """Return the engine's call for a command; raise `Refused` for what it cannot do."""
        container, engine = ward.container.id, self._engine
        drain_s = self._settings.ops.drain_s
        cause = f"{command.issued_by}: {command.reason}"
        calls: dict[str, Callable[[], None]] = {
            "restart": lambda: engine.restart(container, GRACE_S),
            "start": lambda: engine.restart(container, GRACE_S),
            "release": lambda: engine.restart(container, GRACE_S),
            "drain": lambda: engine.restart(container, drain_s),
            "kill": lambda: engine.restart(container, 0.0),
            "stop": lambda: engine.stop(container, drain_s),
            "quarantine": lambda: engine.stop(container, GRACE_S),
            "circuit": lambda: engine.signal(container, OPEN_CIRCUIT.name),
        }
        if command.verb not in calls:
            raise Refused(f"{command.verb} cannot be done with a container", field="verb")
        held = {"stop": "stopped", "quarantine": "quarantined"}
        if command.verb != "circuit":
            ward.held = held.get(command.verb, "draining")
            log.warning("%s %s: %s", command.verb, ward.container.service, cause)
        return calls[command.verb]


async def serve(settings: Settings) -> int:
    """Run until SIGTERM or Ctrl-C; return 0. Raise `InvalidSetting` when no bus is named."""
    if settings.nats.url is None:
        line = "SOVEREIGN_NATS__URL: with the driver docker the bus must be named"
        raise InvalidSetting(line, field="SOVEREIGN_NATS__URL")
    record = Record(settings.host, "supervisor")
    host = ContainerHost(settings, Engine(settings.ops.docker_socket), record)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.run, tasks)
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                break
        tasks.cancel_scope.cancel()
    return 0


async def _beat(ward: Ward) -> None:
    with ward.scope:
        await ward.heart.run()


async def _answer(message: Msg, data: bytes) -> None:
    if message.reply:
        respond: Callable[[bytes], Awaitable[None]] = message.respond
        await respond(data)
