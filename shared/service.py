"""The life of one service process: connect, serve, beat, drain, leave.

A room gives a lifespan: what it sets up before `yield` and takes down after. Its background
loops belong to `service.tasks`; one that fails takes the process down, and the supervisor
starts it anew.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, NoReturn

import anyio
import anyio.abc
from nats.errors import Error as NatsError

from shared import bootstrap, garbage, logs, rpc
from shared.beats import VERSION, Heart
from shared.bus import Bus
from shared.errors import InvalidSetting, first_of
from shared.memory_cap import cap_bytes
from shared.notify import READY, STOPPING
from shared.settings import Settings, load
from shared.signals import Signals

log = logging.getLogger(__name__)

EXIT_FAILED = 1
EXIT_USAGE = 2
WORD_S = 2.0
"""Longest wait for such a word: nats-py waits 10 s for a server that is gone."""


class Service:
    """What a room gets from its process."""

    def __init__(self, name: str, settings: Settings, bus: Bus, tasks: anyio.abc.TaskGroup) -> None:
        self.name = name
        self.settings = settings
        self.bus = bus
        self.tasks = tasks
        self.host = settings.host
        self.instance = settings.instance or f"{settings.host[:50]}-{os.getpid()}"
        self.signals: Signals
        self.endpoints: rpc.Endpoints
        self.before: Any = None
        self.heart = Heart(
            bus, (name, self.instance, settings.host), interval_s=settings.ops.beat_s
        )
        self.heart.rss_cap_bytes = cap_bytes(settings.ops.memory_mb.get(name))


Lifespan = Callable[[Service], AbstractAsyncContextManager[None]]


Loop = Callable[[], asyncio.AbstractEventLoop]
Early = Callable[[Settings, Bus], AbstractAsyncContextManager[Any]]
"""What a room does before the bus is there; what it yields becomes `service.before`."""


@asynccontextmanager
async def nothing_early(settings: Settings, bus: Bus) -> AsyncIterator[None]:
    """Do nothing before the bus is there."""
    yield


class BusLostError(RuntimeError):
    """The connection was closed for good: this process is of no use any more."""


async def serve(
    name: str, lifespan: Lifespan, settings: Settings, early: Early = nothing_early
) -> None:
    """Run the service until SIGTERM or SIGINT; raise when it cannot go on."""
    lost, signals, bus = anyio.Event(), Signals(), Bus.idle(settings, name)
    with signals.heard():
        async with early(settings, bus) as before:
            with signals.starting:
                await bus.join(settings, name, closed=_setter(lost))
                if settings.nats.bootstrap:
                    await bootstrap.ensure(bus, settings.nats.replicas)
            if not signals.stopping.is_set():
                async with anyio.create_task_group() as tasks:
                    service = Service(name, settings, bus, tasks)
                    service.before = before
                    service.signals = signals
                    tasks.start_soon(_watch_bus, lost, service)
                    await _live(service, lifespan)
                    tasks.cancel_scope.cancel()
            await bus.close()


async def _live(service: Service, lifespan: Lifespan) -> None:
    """Start the room, beat while it works, take it down in order."""
    metadata = {"host": service.host, "instance": service.instance}
    service.endpoints = await rpc.register(
        service.bus, service.name, VERSION, metadata, service.tasks
    )
    circuit = service.endpoints.circuit
    service.heart.refusing_s = lambda: circuit.left_s
    service.signals.circuit = lambda: circuit.open(service.settings.ops.circuit_s)
    service.tasks.start_soon(service.heart.run)
    async with lifespan(service):
        await _if_heard(service.bus.nc.flush)
        service.heart.state = "ready"
        service.heart.notifier.tell(READY)
        await _if_heard(service.heart.beat)
        log.info("ready as %s", service.instance)
        await service.signals.stopping.wait()
        service.heart.state = "draining"
        service.heart.notifier.tell(STOPPING)
        await _if_heard(service.heart.beat)
        await _if_heard(service.endpoints.stop)
    await _if_heard(service.heart.goodbye)


async def _if_heard(word: Callable[[], Awaitable[None]]) -> None:
    """Say a word on the bus that may be lost, as the bus may leave at any moment."""
    with anyio.move_on_after(WORD_S), suppress(NatsError, OSError, TimeoutError):
        await word()


async def _watch_bus(lost: anyio.Event, service: Service) -> None:
    await lost.wait()
    if not service.signals.stopping.is_set():
        raise BusLostError("the connection to NATS was closed for good")


def _setter(event: anyio.Event) -> Callable[[], Awaitable[None]]:
    async def closed() -> None:
        event.set()

    return closed


def main(name: str, app: str, loop: Loop | None = None) -> NoReturn:
    """Run the service whose lifespan is `app.lifespan`; leave with 0, 1 or 2.

    `loop` makes the event loop; without it, it is asyncio's own.
    """
    die_with_parent()
    signal.signal(signal.SIGTERM, _leave)
    try:
        settings = load()
    except InvalidSetting as error:
        print(f"sovereign {name}: {error.message}", file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_USAGE)
    logs.configure(name, settings.log_level)
    lifespan, early = _room(name, app)
    garbage.ease()
    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(serve(name, lifespan, settings, early))
    except (BaseExceptionGroup, InvalidSetting) as group:
        first = first_of(group)
        if isinstance(first, InvalidSetting):
            print(f"sovereign {name}: {first.message}", file=sys.stderr)  # noqa: T201
            sys.exit(EXIT_USAGE)
        log.error("%s", first, exc_info=group)
        sys.exit(EXIT_FAILED)
    except (OSError, RuntimeError) as error:
        log.error("%s: %s", type(error).__name__, error)
        sys.exit(EXIT_FAILED)
    sys.exit(0)


def _room(name: str, app: str) -> tuple[Lifespan, Early]:
    """Import the room; a missing extra is one line that says what to install."""
    try:
        room = importlib.import_module(app)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in ("services", "shared"):
            raise
        line = f"sovereign {name}: {error.name} is missing: pip install 'sovereign[{name}]'"
        print(line, file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_USAGE)
    return room.lifespan, getattr(room, "early", nothing_early)


def _leave(_signal: int, _frame: object) -> NoReturn:
    """End at once while nothing runs yet: process 1 of a container ignores signals by default."""
    sys.exit(0)


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the supervisor that started this process dies (Linux)."""
    parent = os.environ.get("SOVEREIGN_PARENT_PID")
    if parent is None or not sys.platform.startswith("linux"):
        return
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
    if os.getppid() != int(parent):
        sys.exit(EXIT_FAILED)
