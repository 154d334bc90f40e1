"""The agents service: manager and specialists in one process, as many processes as wanted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import Any

import anyio
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from services.agents.control import Control
from services.agents.handlers import listen
from services.agents.intake import Intake
from services.agents.interop.host import hosting
from services.agents.lost import Letters, Strays
from services.agents.manager import Manager
from services.agents.planning.template import template_list
from services.agents.replaying import replayed
from services.agents.returns import Returns
from services.agents.room import Room, open_room
from services.agents.scheduling import Schedules
from services.agents.station import Station
from services.agents.sweep import Sweeper
from shared.broker import make_broker
from shared.events.replay import ReplayAsk
from shared.events.reports import AgentRoster, Empty
from shared.events.templates import TemplateList
from shared.service import Service
from shared.streams import CONSUMERS, PRIORITIES, STEPS, Consumer, request_consumer
from shared.work import Worker

log = logging.getLogger(__name__)

INTAKES = 4
"""Tasks of one priority that one process accepts and plans at the same time."""
RETURNS = 8
LOOK_S = 0.5
"""How often the stream of steps is looked at for what came back from a dead worker."""

Take = Callable[[Msg], Awaitable[None]]


@asynccontextmanager
async def lifespan(service: Service) -> AsyncIterator[None]:
    """Serve as manager and as agents until the service drains."""
    room = await open_room(service.bus, service.settings, service.instance)
    stations = [Station(room, spec) for spec in room.crew.values()]
    broker = make_broker(service.settings, f"{service.name}.events")
    listen(broker, room)

    async def roster(_: Empty) -> AgentRoster:
        infos = tuple(station.info() for station in stations)
        return AgentRoster(
            instance=room.instance, host=room.host, agents=infos, faults=room.crew.faults
        )

    await service.endpoints.answer("agent.status", Empty, roster)
    await service.endpoints.answer("agent.templates", Empty, _templates)
    await service.endpoints.answer("agent.replay", ReplayAsk, partial(replayed, room))
    service.heart.info = lambda: _beat(stations)
    await broker.start()
    try:
        async with anyio.create_task_group() as tasks:
            await start(room, stations, tasks)
            async with hosting(room) if service.settings.agents.interop else nullcontext():
                yield
            tasks.cancel_scope.cancel()
    finally:
        await broker.stop()


async def start(room: Room, stations: list[Station], tasks: anyio.abc.TaskGroup) -> None:
    """Start every loop of the room; cancelling `tasks` gives back what is held."""
    manager = Manager(room)
    for station in stations:
        await station.open()
        tasks.start_soon(station.run)
    tasks.start_soon(_look_again, room, stations)
    tasks.start_soon(room.views.run)
    tasks.start_soon(room.toolbox.run)
    tasks.start_soon(Sweeper(manager).run)
    tasks.start_soon(Strays(manager).run)
    intake, control, returns = Intake(manager), Control(manager), Returns(manager)
    for priority in PRIORITIES:
        _work(room, tasks, request_consumer(priority), intake.take, INTAKES)
    _work(room, tasks, _named("TASKS_CONTROL", "manager"), control.take, 2)
    _work(room, tasks, _named("SCHEDULES", "manager"), Schedules(room.bus).take, 1)
    _work(room, tasks, _named("RESULTS", "manager"), returns.take, RETURNS)
    _work(room, tasks, _named("DEAD", "manager"), Letters(manager).take, 1)


def _work(
    room: Room, tasks: anyio.abc.TaskGroup, consumer: Consumer, take: Take, loops: int
) -> None:
    for _ in range(loops):
        tasks.start_soon(Worker(room.bus, consumer, take).run)


def _named(stream: str, name: str) -> Consumer:
    return next(each for each in CONSUMERS if (each.stream, each.name) == (stream, name))


async def _look_again(room: Room, stations: list[Station]) -> None:
    """Wake all stations now and then while any step is stored: two small questions a second."""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            info = await room.bus.js.stream_info(STEPS.name)
        except (NatsError, APIError, TimeoutError) as error:
            log.debug("steps: %s", error or type(error).__name__)
            continue
        if info.state.messages:
            for station in stations:
                station.look_again()


async def _templates(_: Empty) -> TemplateList:
    return await asyncio.to_thread(template_list)


def _beat(stations: list[Station]) -> dict[str, Any]:
    names = ("busy", "slots", "done", "failed")
    infos = [station.info() for station in stations]
    return {"agents": {info.name: {n: getattr(info, n) for n in names} for info in infos}}
