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

from services.router import clouds, history, prices
from services.router.accounts import Accounts
from services.router.budgets.budgets import Budgets
from services.router.cache import Cache
from services.router.desk import Desk
from services.router.door.app import Door
from services.router.door.server import open_door
from services.router.engine import Engine
from services.router.flights import Flights
from services.router.handlers import ChatHandlers
from services.router.models import ModelHandlers
from services.router.monitor.report import Reporter
from services.router.monitor.watch import Monitor
from services.router.offline_engine import OfflineEngine
from services.router.policy import steps
from services.router.policy.policy import Policy
from services.router.policy.quality import Quality
from services.router.policy.steps import Steps
from services.router.pool.engine import PoolEngine
from services.router.pool.weights import WEIGHT, weight
from services.router.presence import Presence
from services.router.record import Record, open_record
from services.router.reports import ReportHandlers
from services.router.running import Running
from services.router.shelf import Shelf
from services.router.slots import Open, Slots
from services.router.switch import Switch
from services.router.telemetry import Telemetry
from services.router.tuning import store
from services.router.tuning.levers import Levers
from services.router.tuning.store import Store
from services.router.tuning.tuner import Tuner
from services.router.usage.importing import Importer
from shared.events import EmbedRequest, Empty, MonitorAsk, TuningAsk, UsageImport
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
        running = Running()
        await switch.probe()
        door = await _serve(Room(service, switch, record, running, loops))
        told = service.heart.info
        service.heart.info = lambda: told() | {"door": door.url}
        async with open_door(door, service.settings.router):
            yield
        await running.drain(DRAIN_S)
        await record.settle()
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
    settings = service.settings
    telemetry = Telemetry(service.bus)
    cache = Cache(settings.router.cache_entries, settings.router.cache_ttl_s, telemetry.cache)
    accounts = await _accounts(settings, record, telemetry)
    pool = switch.primary if isinstance(switch.primary, PoolEngine) else None
    own = Slots(settings.router.slots, settings.router.queue)
    slots = Open(pool.places.info) if pool else own
    hosts = pool.beat if pool else dict
    service.heart.info = lambda: switch.info() | {"slots": slots.info()} | hosts()
    quality = Quality(record)
    policy = Policy(settings.router, quality, lambda: pool.models if pool else ())
    shared = settings.router.shared_cache and settings.router.cache_entries > 0
    shelf = Shelf(service.bus, lambda: settings.router.cache_ttl_s) if shared else None
    if shelf is not None:
        await shelf.start()
        room.loops.start_soon(shelf.run)
    budgets = Budgets(settings.router, record, clouds.known(switch.clouds))
    flights = Flights(room.loops)
    desk = Desk(settings.router, switch, slots, cache, flights, accounts, policy, budgets, shelf)
    for loop in (record.run, telemetry.run, switch.watch, quality.run):
        room.loops.start_soon(loop)
    keep = (record.path, settings.router.keep_days, settings.router.keep_calls)
    room.loops.start_soon(history.keep_short, *keep)
    presence = Presence(service.bus.nc)
    await presence.listen()
    room.loops.start_soon(presence.run)
    chat = ChatHandlers(desk, room.running, presence)
    room.loops.start_soon(chat.own)
    await _chat(service, chat)
    models = ModelHandlers(settings.router, switch, slots, pool)
    await _models(service, models)
    reports = ReportHandlers(settings, record, accounts, cache, pool, service.bus, policy)
    await _reports(service, reports)
    await service.endpoints.answer("model.budgets", Empty, budgets.list_budgets)
    monitor = Monitor()
    accounts.followers.append(monitor.take)
    reporter = Reporter(record, monitor)
    await service.endpoints.answer("model.monitor", MonitorAsk, reporter.answer)
    importer = Importer(settings.router, record)
    await service.endpoints.answer("model.import", UsageImport, importer.answer)
    await service.endpoints.answer("model.policy", Empty, policy.explain)
    await service.bus.nc.subscribe(steps.SUBJECT, cb=Steps(record).hear)
    levers = Levers(settings.router, cache, {WEIGHT: partial(weight, pool)} if pool else None)
    await _tuning(service, Tuner(levers, Store(service.bus), record, reports.advise))
    return Door(settings.router, desk, models, room.running)


async def _accounts(settings: Settings, record: Record, telemetry: Telemetry) -> Accounts:
    reference = settings.router.reference_model
    known = await asyncio.to_thread(prices.read, prices.table(), (reference,))
    return Accounts(record, telemetry.cost, reference, known.get(reference))


async def _chat(service: Service, handlers: ChatHandlers) -> None:
    await service.endpoints.answer_raw(MODEL_CHAT, handlers.chat)
    await service.bus.nc.subscribe(MODEL_CANCEL, cb=handlers.cancel)


async def _models(service: Service, handlers: ModelHandlers) -> None:
    endpoints = service.endpoints
    router = service.settings.router
    limit = router.queue + router.slots * max(1, len(router.ollama_hosts))
    await endpoints.answer_many(MODEL_EMBED, EmbedRequest, handlers.embed, limit)
    await endpoints.answer("model.status", Empty, handlers.status)
    await endpoints.answer("model.models", Empty, handlers.models)
    await endpoints.answer("model.hosts", Empty, handlers.hosts)

    async def pull(request: Request) -> None:
        service.tasks.start_soon(handlers.pull, request)

    await endpoints.answer_raw("model.pull", pull)


async def _reports(service: Service, handlers: ReportHandlers) -> None:
    await service.endpoints.answer("model.savings", Empty, handlers.savings)
    await service.endpoints.answer("model.report", Empty, handlers.report)
    await service.endpoints.answer("model.sovereignty", Empty, handlers.sovereignty)


async def _tuning(service: Service, tuner: Tuner) -> None:
    await tuner.load()
    await service.bus.nc.subscribe(store.SUBJECT, cb=tuner.heard)
    await service.endpoints.answer("model.apply", TuningAsk, tuner.apply)
    await service.endpoints.answer("model.rollback", TuningAsk, tuner.rollback)
    await service.endpoints.answer("model.changes", Empty, tuner.changes)
