"""The crew and each of its agents as micro services that the protocol's clients discover."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio
from nats.errors import Error as NatsError
from nats.micro import add_service
from nats.micro.request import Request
from nats.micro.service import Service

from services.agents.interop.prompting import serve
from services.agents.interop.wire import PROTOCOL, heartbeat, owner_token
from services.agents.room import Room
from shared.clock import now
from shared.errors import Busy
from shared.rpc import refuse
from shared.streams import MAX_PAYLOAD

log = logging.getLogger(__name__)

NAME = "agents"
"""Service name and queue group of every agent (3.1, 3.3)."""
HARNESS = "sovereign"
CREW = "crew"
"""The session whose prompts the manager plans; the others are one agent each."""
EVERY_S = 30
PROMPTS = 32
"""Prompts that one process follows at the same time; more are told `busy`."""
VERSION = "0.1.0"


@dataclass(frozen=True)
class Guestroom:
    """One registered agent: its service, and who it is on the wire."""

    service: Service
    identity: dict[str, str]

    @property
    def beat_subject(self) -> str:
        """Return where its heartbeats go (8.1)."""
        parts = (self.identity["agent"], self.identity["owner"], self.identity["session"])
        return f"agents.hb.{'.'.join(parts)}"


@asynccontextmanager
async def hosting(room: Room) -> AsyncIterator[None]:
    """Have the crew and its agents found and prompted until the end of the block."""
    limit = anyio.CapacityLimiter(PROMPTS)
    async with anyio.create_task_group() as tasks:
        rooms = [await _register(room, name, limit, tasks) for name in (CREW, *_names(room))]
        tasks.start_soon(_beat, room, rooms)
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()
            for each in rooms:
                with anyio.CancelScope(shield=True), anyio.move_on_after(1.0):
                    await _stop(each.service)


async def _stop(service: Service) -> None:
    try:
        await service.stop()
    except NatsError as error:
        log.debug("interop: %s", error)


def _names(room: Room) -> Iterable[str]:
    """Return the agents whose names a subject of the protocol can carry: lower case (2)."""
    return [name for name in room.crew if owner_token(name) == name]


async def _register(
    room: Room, session: str, limit: anyio.CapacityLimiter, tasks: anyio.abc.TaskGroup
) -> Guestroom:
    owner = owner_token(room.host)
    identity = {"agent": HARNESS, "owner": owner, "session": session}
    about = "plans the work for its agents" if session == CREW else room.crew[session].description
    service = await add_service(
        room.bus.nc,
        name=NAME,
        version=VERSION,
        description=f"sovereign {session}: {about}"[:400],
        metadata={**identity, "protocol_version": PROTOCOL, "instance": room.instance},
    )
    own = Guestroom(service, {**identity, "instance_id": service.id})
    tail = f"{HARNESS}.{owner}.{session}"
    agent = None if session == CREW else session
    prompts = {"max_payload": f"{MAX_PAYLOAD // 1024}KB", "attachments_ok": "true"}
    await service.add_endpoint(
        name="prompt",
        subject=f"agents.prompt.{tail}",
        queue_group=NAME,
        metadata=prompts,
        handler=partial(_prompted, room, agent, limit, tasks),
    )
    await service.add_endpoint(
        name="status",
        subject=f"agents.status.{tail}",
        queue_group=NAME,
        handler=partial(_asked, own),
    )
    return own


async def _prompted(
    room: Room,
    agent: str | None,
    limit: anyio.CapacityLimiter,
    tasks: anyio.abc.TaskGroup,
    request: Request,
) -> None:
    """Take a prompt without holding up the next one."""
    try:
        limit.acquire_on_behalf_of_nowait(request)
    except anyio.WouldBlock:
        await refuse(request, Busy(f"{PROMPTS} prompts are in hand"))
        await request.respond(b"")
        return
    tasks.start_soon(_serve, room, agent, limit, request)


async def _serve(
    room: Room, agent: str | None, limit: anyio.CapacityLimiter, request: Request
) -> None:
    try:
        await serve(room.bus, request, agent)
    except (NatsError, ValueError) as error:
        log.warning("%s: the answer could not be sent: %s", request.subject, error)
    except Exception:
        log.exception("%s failed", request.subject)
    finally:
        limit.release_on_behalf_of(request)


async def _asked(own: Guestroom, request: Request) -> None:
    await request.respond(heartbeat(own.identity, now(), EVERY_S))


async def _beat(room: Room, rooms: list[Guestroom]) -> None:
    while True:
        for each in rooms:
            try:
                await room.bus.nc.publish(
                    each.beat_subject, heartbeat(each.identity, now(), EVERY_S)
                )
            except NatsError as error:
                log.debug("interop: %s", error)
        await asyncio.sleep(EVERY_S)
