"""People's wishes: `ops.restart` and `ops.drain`, done by the leader wherever they arrive."""

from __future__ import annotations

import time
from typing import Literal

import orjson
from nats.aio.msg import Msg

from services.ops.instances import Instances, Key
from services.ops.leader import Lease
from services.ops.record import Record
from services.ops.remedies import Commander
from services.ops.returning import is_back
from shared.bus import Bus, decode, encode
from shared.errors import NotFound, SovereignError, TimedOut, Unavailable
from shared.events.ops import CommandReply, OpsAsk
from shared.ids import ulid

Wish = Literal["restart", "drain"]
LEAD = "ops.lead"
BACK_S = 10.0
"""How long an answer waits for the outcome, all hosts together; then it says what is missing."""

FORWARD_S = BACK_S + 5.0


class Desk:
    """Takes a wish; forwards it when another ops leads."""

    def __init__(
        self, bus: Bus, instances: Instances, lease: Lease, commander: Commander, record: Record
    ) -> None:
        self._bus = bus
        self._instances = instances
        self._lease = lease
        self._commander = commander
        self._record = record

    async def listen(self) -> None:
        """Hear what others forward; only the leader answers."""
        await self._bus.nc.subscribe(f"{LEAD}.*", cb=self._forwarded)

    async def restart(self, ask: OpsAsk) -> CommandReply:
        """Answer `ops.restart`."""
        return await self.wish("restart", ask)

    async def drain(self, ask: OpsAsk) -> CommandReply:
        """Answer `ops.drain`."""
        return await self.wish("drain", ask)

    async def wish(self, verb: Wish, ask: OpsAsk) -> CommandReply:
        """Do it, or have the leader do it; raise `Unavailable` when nobody leads."""
        if self._lease.held:
            return await self._do(verb, ask)
        try:
            return await self._bus.request(f"{LEAD}.{verb}", ask, CommandReply, FORWARD_S)
        except TimedOut as error:
            raise Unavailable("no ops leads at the moment", retry_after_s=3.0) from error

    async def _do(self, verb: Wish, ask: OpsAsk) -> CommandReply:
        hosts = self._hosts(ask)
        reason = f"{ask.by}: {ask.reason}"
        about = {"instance": ask.instance or "", "remedy": verb, "cause": reason}
        said: list[str] = []
        end = time.monotonic() + BACK_S
        for host in hosts:
            boot = self._boot(host, ask.service)
            episode = ulid()
            self._record.tell("decision", ask.service, host=host, episode=episode, **about)
            reply = await self._commander.command(verb, (host, ask.service), reason)
            said.append(f"{host}: {await self._outcome((host, ask.service), boot, end)}")
        return CommandReply(command_id=reply.command_id, accepted=True, detail="; ".join(said))

    async def _outcome(self, target: tuple[str, str], boot: str, end: float) -> str:
        """Say how it went; ops cannot wait for its own restart."""
        host, service = target
        if service == "ops":
            return "ops restarts; `ops.status` answers again in a few seconds"
        began = time.monotonic()
        if await is_back(self._instances, _key(host, service), boot, end - began):
            return f"{service} is back after {time.monotonic() - began:.1f} s"
        child = self._instances.children(host).get(service, {})
        state = f"{child.get('state', 'unknown')} {child.get('reason', '')}".strip()
        return f"{service} is not ready yet after {time.monotonic() - began:.0f} s: {state}"

    def _boot(self, host: str, service: str) -> str:
        known = self._instances.get(_key(host, service))
        return known.beat.boot if known is not None else ""

    def _hosts(self, ask: OpsAsk) -> list[str]:
        """Return the hosts whose supervisor runs the service; raise `NotFound` if none does."""
        hosts = [host for host in self._instances.hosts() if ask.host in (None, host)]
        found = [host for host in hosts if ask.service in self._instances.children(host)]
        if not found:
            where = f"host {ask.host}" if ask.host else f"hosts {', '.join(hosts) or '(none)'}"
            line = f"no supervisor on {where} runs {ask.service}"
            raise NotFound(line, field="service")
        return found

    async def _forwarded(self, message: Msg) -> None:
        verb = message.subject.rpartition(".")[2]
        if not self._lease.held or verb not in ("restart", "drain"):
            return
        try:
            reply = await self._do("drain" if verb == "drain" else "restart", _ask(message.data))
        except SovereignError as error:
            await message.respond(orjson.dumps(error.envelope()))
        else:
            await message.respond(encode(reply))


def _key(host: str, service: str) -> Key:
    """Return the place of a supervised service: its supervisor names it."""
    return host, service, f"{service}-1"


def _ask(data: bytes) -> OpsAsk:
    return decode(data, OpsAsk)
