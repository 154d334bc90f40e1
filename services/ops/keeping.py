"""Checks and backups of the leader: in time, at once on demand, recorded when something changed."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import datetime
from typing import TypeVar

import anyio
import orjson
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import BaseModel

from services.ops.checks import Checks, Fixes
from services.ops.escalation import Escalation
from services.ops.instances import Instances
from services.ops.leader import Lease
from services.ops.record import Record
from services.ops.remedies import Commander
from shared import backups
from shared.bus import Bus, encode
from shared.errors import Busy, NotFound, SovereignError, TimedOut, Unavailable
from shared.events.ops import BackupReply, OpsCheck, OpsChecks
from shared.events.reports import Empty
from shared.settings import Settings

log = logging.getLogger(__name__)

FIRST_S = 10.0
AGAIN_S = 15.0
LEADER = "ops.leader"
CHECK_S = 60.0
BACKUP_S = 900.0
"""How long the leader may take to answer another ops."""

Reply = TypeVar("Reply", bound=BaseModel)


class Keeper:
    """Runs what is due; only the leader does, wherever the wish arrives."""

    def __init__(
        self, bus: Bus, settings: Settings, instances: Instances, lease: Lease,
        commander: Commander, record: Record, escalation: Escalation,
    ) -> None:  # fmt: skip
        self._bus = bus
        self._settings = settings
        self._instances = instances
        self._lease = lease
        self._commander = commander
        self._record = record
        self._escalation = escalation
        self._checks = Checks(bus, settings, Fixes(self._declare, self._due_backup))
        self._one = anyio.Lock()
        self._saving = anyio.Lock()
        self.last: tuple[OpsCheck, ...] = ()
        self.last_at: datetime | None = None

    async def listen(self) -> None:
        """Hear what other ops processes hand on."""
        await self._bus.nc.subscribe(f"{LEADER}.*", cb=self._handed_on)

    async def run(self) -> None:
        """Check in time until cancelled."""
        wait_s = min(FIRST_S, self._settings.ops.check_s)
        while True:
            await asyncio.sleep(wait_s)
            if self._lease.held:
                await self._check()
            wait_s = self._wait_s(wait_s)

    def _wait_s(self, before_s: float) -> float:
        """Return the seconds to the next look; what failed is looked at again soon."""
        if any(check.state == "fail" for check in self.last):
            return min(AGAIN_S, self._settings.ops.check_s)
        return self._settings.ops.check_s if self.last_at else before_s

    async def check(self, _: Empty) -> OpsChecks:
        """Answer `ops.check`: all checks, now."""
        if not self._lease.held:
            return await self._hand_on("check", OpsChecks, CHECK_S)
        return await self._check()

    async def backup(self, _: Empty) -> BackupReply:
        """Answer `ops.backup`: a backup, now; raise `Busy` while one is made."""
        if not self._lease.held:
            return await self._hand_on("backup", BackupReply, BACKUP_S)
        return await self._save("asked for")

    async def _check(self) -> OpsChecks:
        async with self._one:
            found = await self._checks.run()
            before = {check.name: check for check in self.last}
            for check in found:
                self._tell(check, before.get(check.name))
            answer = OpsChecks(checks=found)
            self.last, self.last_at = found, answer.at
        return answer

    def _tell(self, check: OpsCheck, before: OpsCheck | None) -> None:
        """Record what changed since the last look, and every fix."""
        worse = check.state != "ok" and (before is None or before.state == "ok")
        better = check.state == "ok" and before is not None and before.state != "ok"
        if worse or better or check.fixed or before is None:
            evidence = check.seen | ({"fixed": check.fixed} if check.fixed else {})
            about = {"outcome": check.state, "cause": check.advice, "evidence": evidence}
            self._record.tell("check", check.name, **about)
        if check.state == "fail" and worse:
            level = {"level": "person", "check": check.name}
            self._escalation.call("ops", f"check_{check.name}", check.advice, evidence=level)

    async def _declare(self) -> str:
        """Have a supervisor declare the streams: ops itself has no right to."""
        for host in self._instances.hosts():
            try:
                reply = await self._commander.command("declare", (host, "ops"), "a stream is gone")
            except SovereignError as error:
                return f"not declared: {error.message}"
            return reply.detail
        return "no supervisor is there to declare them"

    async def _due_backup(self) -> str:
        try:
            made = await self._save("due")
        except SovereignError as error:
            return f"no backup: {error.message}"
        return f"{made.file}, {made.bytes} bytes"

    async def _save(self, cause: str) -> BackupReply:
        if self._saving.statistics().locked:
            raise Busy("a backup is being made", retry_after_s=10.0)
        folder = self._settings.data_dir / backups.FOLDER
        began = time.monotonic()
        async with self._saving:
            try:
                made = await backups.make(self._bus, folder.absolute(), self._settings.host)
            except (SovereignError, NatsError, OSError) as error:
                took = time.monotonic() - began
                self._record.tell(
                    "backup", "ops", cause=cause, outcome=f"failed: {error}", duration_s=took
                )
                raise Unavailable(f"no backup: {error}") from error
            removed = await asyncio.to_thread(backups.prune, folder, self._settings.ops.backups)
        evidence = {"file": made.file, "bytes": made.bytes, "removed": len(removed)}
        about = {"cause": cause, "outcome": "made", "evidence": evidence}
        self._record.tell("backup", "ops", duration_s=made.took_s, **about)
        return made

    async def _hand_on(self, ask: str, reply: type[Reply], within_s: float) -> Reply:
        try:
            return await self._bus.request(f"{LEADER}.{ask}", Empty(), reply, within_s)
        except (TimedOut, NotFound) as error:
            raise Unavailable("no ops leads at the moment", retry_after_s=3.0) from error

    async def _handed_on(self, message: Msg) -> None:
        """Answer for the leader, and only as the leader."""
        ask = message.subject.rpartition(".")[2]
        if not self._lease.held or ask not in ("check", "backup"):
            return
        try:
            work = self.backup if ask == "backup" else self.check
            answer: BaseModel = await work(Empty())
        except SovereignError as error:
            await message.respond(orjson.dumps(error.envelope()))
        else:
            await message.respond(encode(answer))
