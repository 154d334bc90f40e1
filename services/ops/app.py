"""The ops service: hears, judges, heals, records; one of several leads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.ops.handlers import register
from services.ops.room import Room
from shared.broker import make_broker
from shared.events.ops import OpsAsk, OpsHistoryAsk
from shared.events.reports import Empty
from shared.service import Service


@asynccontextmanager
async def lifespan(service: Service) -> AsyncIterator[None]:
    """Run ops while the service lives."""
    room = Room(service)
    service.heart.info = lambda: {
        "leads": room.lease.held,
        "instances": len(room.instances),
        "refused_beats": room.instances.refused,
    }
    broker = make_broker(service.settings, "ops")
    register(broker, room)
    await broker.start()
    await room.history.rebuild(service.bus)
    room.start(service.tasks)
    await _answer(service, room)
    yield
    await broker.stop()


async def _answer(service: Service, room: Room) -> None:
    await room.desk.listen()
    await service.endpoints.answer("ops.status", Empty, room.status)
    await service.endpoints.answer("ops.history", OpsHistoryAsk, room.newest)
    await service.endpoints.answer("ops.lessons", Empty, room.lessons)
    await room.keeper.listen()
    await service.endpoints.answer_many("ops.check", Empty, room.keeper.check, limit=4)
    await service.endpoints.answer_many("ops.backup", Empty, room.keeper.backup, limit=4)
    await service.endpoints.answer_many("ops.restart", OpsAsk, room.desk.restart, limit=8)
    await service.endpoints.answer_many("ops.drain", OpsAsk, room.desk.drain, limit=8)
