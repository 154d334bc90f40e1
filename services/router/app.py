"""The wiring of the router."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio
import anyio.abc
from nats.micro.request import Request

from services.router import clouds, history
from services.router.budgets import peers
from services.router.budgets.peers import Peers
from services.router.budgets.sharing import Sharing
from services.router.desk import Desk
from services.router.door.app import Desks, Door
from services.router.door.server import open_door
from services.router.embedding.desk import EmbedDesk
from services.router.embedding.flights import EmbedFlights
from services.router.embedding.handlers import EmbedHandlers
from services.router.engine import Engine
from services.router.flights import Flights
from services.router.handlers import ChatHandlers
from services.router.models import ModelHandlers
from services.router.monitor.report import Reporter
from services.router.offline_engine import OfflineEngine
from services.router.parts import Parts, make
from services.router.policy import steps
from services.router.policy.steps import Steps
from services.router.pool.engine import PoolEngine
from services.router.pool.weights import WEIGHT, weight
from services.router.presence import Presence
from services.router.record import Record, open_record
from services.router.reports import ReportHandlers
from services.router.running import Running
from services.router.suggest.suggestions import Suggestions
from services.router.switch import Switch
from services.router.tuning import store
from services.router.tuning.levers import Family, Levers
from services.router.tuning.store import Store
from services.router.tuning.tuner import Tuner
from services.router.usage.importing import Importer
from shared.events import Empty, MonitorAsk, SuggestAsk, TuningAsk, UsageImport
from shared.service import Service
from shared.settings import Settings
from shared.subjects import MODEL_CANCEL, MODEL_CHAT, MODEL_EMBED

DRAIN_S = 5.0
"""How long requests in hand may go on when the service is told to stop."""


@dataclass(frozen=True, slots=True)
class Room:
    """What lives as long as the service; `loops` owns its background tasks."""

    service: Service
    switch: Switch
    record: Record
    running: Running
    sharing: Sharing
    loops: anyio.abc.TaskGroup


@asynccontextmanager
async def lifespan(service: Service) -> AsyncIterator[None]:
    """Answer model requests while the body runs, then let go of what is in hand."""
    async with AsyncExitStack() as stack:
        path = service.settings.data_dir / "router" / "calls.db"
        record = await stack.enter_async_context(open_record(path))
        switch = await make_switch(service.settings)
        stack.push_async_callback(switch.primary.close)
        loops = await stack.enter_async_context(anyio.create_task_group())
        running, run = Running(), record.of.name
        sharing = Sharing(service.bus, run, service.settings.host, Peers(run))
        await switch.probe()
        door = await _serve(Room(service, switch, record, running, sharing, loops))
        told = service.heart.info
        service.heart.info = lambda: told() | {"door": door.url, peers.INFO: run}
        async with open_door(door, service.settings.router):
            yield
        await running.drain(DRAIN_S)
        await record.settle()
        await sharing.flush()
        loops.cancel_scope.cancel()


async def make_switch(settings: Settings) -> Switch:
    """Return the switch with the engine that the setting names, rules and clouds beside it."""
    offline = OfflineEngine(settings.engine, settings.host)
    foreign = await asyncio.to_thread(clouds.engines, settings)
    return Switch(settings, _primary(settings, offline), offline, foreign)


def _primary(settings: Settings, offline: OfflineEngine) -> Engine:
    if settings.engine == "offline":
        return offline
    if settings.engine == "openai":
        from services.router.compatible.engine import CompatibleEngine

        return CompatibleEngine(settings)
    return PoolEngine(settings)


async def _serve(room: Room) -> Door:
    """Start the loops, register every request subject, and return what answers at the door."""
    service, switch, record = room.service, room.switch, room.record
    settings = service.settings.router
    parts = await make(service, switch, record, room.sharing)
    hosts = parts.pool.beat if parts.pool else dict
    service.heart.info = lambda: switch.info() | {"slots": parts.slots.info()} | hosts()
    models = ModelHandlers(settings, switch, parts.pool)
    embedding = _embedding(room, parts)
    suggestions = Suggestions(settings.suggestions, embedding.embed)
    desk = _desk(room, parts, suggestions)
    await _start(room, parts)
    presence = Presence(service.bus.nc)
    await presence.listen()
    room.loops.start_soon(presence.run)
    chat = ChatHandlers(desk, room.running, presence)
    room.loops.start_soon(chat.own)
    await _chat(service, chat)
    await _models(service, models)
    await _embed(service, EmbedHandlers(embedding, room.running, presence))
    await service.endpoints.answer_many("model.suggest", SuggestAsk, suggestions.answer, 4)
    room.loops.start_soon(suggestions.run)
    await _reports(service, record, parts)
    return Door(settings, Desks(desk, embedding, models), room.running)


def _embedding(room: Room, parts: Parts) -> EmbedDesk:
    return EmbedDesk(
        settings=room.service.settings.router,
        switch=room.switch,
        slots=parts.slots,
        cache=parts.vectors,
        flights=EmbedFlights(room.loops),
        booking=parts.booking,
        policy=parts.policy,
        budgets=parts.budgets,
    )


def _desk(room: Room, parts: Parts, suggestions: Suggestions) -> Desk:
    return Desk(
        settings=room.service.settings.router,
        switch=room.switch,
        slots=parts.slots,
        cache=parts.cache,
        flights=Flights(room.loops),
        accounts=parts.accounts,
        policy=parts.policy,
        budgets=parts.budgets,
        shelf=parts.shelf,
        suggestions=suggestions,
    )


async def _start(room: Room, parts: Parts) -> None:
    """Start the loops of the parts."""
    loops, settings = room.loops, room.service.settings.router
    if parts.shelf is not None:
        await parts.shelf.start()
        loops.start_soon(parts.shelf.run)
    for loop in (room.record.run, parts.telemetry.run, room.switch.watch, parts.quality.run):
        loops.start_soon(loop)
    await _share(room)
    keep = (room.record.path, settings.keep_days, settings.keep_calls)
    loops.start_soon(history.keep_short, *keep)
    await room.service.bus.nc.subscribe(steps.SUBJECT, cb=Steps(room.record).hear)


async def _share(room: Room) -> None:
    """Count budgets with the other routers from the first request on."""
    await room.service.bus.nc.subscribe(peers.SUBJECT, cb=room.sharing.peers.hear)
    room.loops.start_soon(room.sharing.run)
    await room.sharing.ready()


async def _chat(service: Service, handlers: ChatHandlers) -> None:
    await service.endpoints.answer_raw(MODEL_CHAT, handlers.chat)
    await service.bus.nc.subscribe(MODEL_CANCEL, cb=handlers.cancel)


async def _embed(service: Service, handlers: EmbedHandlers) -> None:
    async def embed(request: Request) -> None:
        service.tasks.start_soon(handlers.embed, request)

    await service.endpoints.answer_raw(MODEL_EMBED, embed)


async def _models(service: Service, handlers: ModelHandlers) -> None:
    endpoints = service.endpoints
    await endpoints.answer("model.status", Empty, handlers.status)
    await endpoints.answer("model.models", Empty, handlers.models)
    await endpoints.answer("model.hosts", Empty, handlers.hosts)

    async def pull(request: Request) -> None:
        service.tasks.start_soon(handlers.pull, request)

    await endpoints.answer_raw("model.pull", pull)


async def _reports(service: Service, record: Record, parts: Parts) -> None:
    """Answer what is asked about the record, and about what should change."""
    endpoints, settings = service.endpoints, service.settings
    handlers = ReportHandlers(
        settings=settings,
        record=record,
        accounts=parts.accounts,
        cache=parts.cache,
        pool=parts.pool,
        bus=service.bus,
        policy=parts.policy,
        booking=parts.booking,
        vectors=parts.vectors,
    )
    await endpoints.answer("model.savings", Empty, handlers.savings)
    await endpoints.answer("model.report", Empty, handlers.report)
    await endpoints.answer("model.sovereignty", Empty, handlers.sovereignty)
    await endpoints.answer("model.budgets", Empty, parts.budgets.list_budgets)
    await endpoints.answer("model.policy", Empty, parts.policy.explain)
    importer, reporter = Importer(settings.router, record), Reporter(record, parts.monitor)
    await endpoints.answer("model.import", UsageImport, importer.answer)
    await endpoints.answer("model.monitor", MonitorAsk, reporter.answer)
    families: dict[str, Family] | None = (
        {WEIGHT: partial(weight, parts.pool)} if parts.pool else None
    )
    levers = Levers(settings.router, parts.cache, families)
    await _tuning(service, Tuner(levers, Store(service.bus), record, handlers.advise))


async def _tuning(service: Service, tuner: Tuner) -> None:
    await tuner.load()
    await service.bus.nc.subscribe(store.SUBJECT, cb=tuner.heard)
    await service.endpoints.answer("model.apply", TuningAsk, tuner.apply)
    await service.endpoints.answer("model.rollback", TuningAsk, tuner.rollback)
    await service.endpoints.answer("model.changes", Empty, tuner.changes)
