"""From start to stop: bring the host up, say so, wait for a signal, drain; twice means now."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from contextlib import suppress
from typing import TextIO

import anyio

from services.ops import banner, preflight, pulling
from services.ops.children import Child
from services.ops.host import Host

log = logging.getLogger(__name__)

READY_S = 30.0
"""A service that is not ready after this long is named, with its last words; the rest go on."""

KILLED = 130
"""Exit code after a second Ctrl-C."""


async def run(host: Host, pull: bool) -> int:
    """Run until a signal; return 0 after an orderly stop."""
    if host.settings.nats.url is not None:
        await preflight.check_url(host.settings)
    try:
        await host.start_bus()
        async with anyio.create_task_group() as tasks:
            stopping = anyio.Event()
            tasks.start_soon(_watch_signals, stopping, host)
            with anyio.CancelScope() as working:
                tasks.start_soon(_cancel_when, stopping, working)
                await host.start(tasks)
                await _greet(host, pull)
                await anyio.sleep_forever()
            await host.stop()
            tasks.cancel_scope.cancel()
    finally:
        host.kill()
    return 0


async def _cancel_when(stopping: anyio.Event, scope: anyio.CancelScope) -> None:
    await stopping.wait()
    scope.cancel()


async def _watch_signals(stopping: anyio.Event, host: Host) -> None:
    """Drain at the first signal; kill everything and leave at the second."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    with anyio.open_signal_receiver(*numbers) as signals:
        async for _ in signals:
            if stopping.is_set():
                host.kill()
                os._exit(KILLED)
            _tell("draining; Ctrl-C again kills at once")
            stopping.set()


async def _greet(host: Host, pull: bool) -> None:
    """Print the banner when all services are ready, or say which are not and why."""
    host.note()
    await _until_ready(list(host.children.values()))
    host.tell_ready()
    host.note()
    here = "dashboard" in host.children
    for line in banner.lines(host.settings, host.hearing.engine, here):
        _tell(line, sys.stdout)
    _tell(banner.HINT)
    if host.bus is not None:
        await pulling.offer(host.bus, host.settings, host.hearing.engine, pull)


async def _until_ready(children: list[Child]) -> None:
    end = time.monotonic() + READY_S
    for child in children:
        with anyio.move_on_after(max(0.0, end - time.monotonic())):
            await child.settled()
        if child.state != "ready":
            why = child.reason or child.last_line() or "no word from it"
            _tell(f"{child.name} is not ready ({child.state}): {why}")


def _tell(line: str, where: TextIO | None = None) -> None:
    """Say it; a terminal that was closed is no reason to stop."""
    with suppress(OSError):
        print(line, file=where or sys.stderr, flush=True)
