"""Checks of the bus: it answers, keeps messages, has its streams, and shares our clock."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from nats.errors import Error as NatsError

from cli.connection import way_in
from cli.findings import Finding, failed, ok, warned
from cli.overview import BEATS, listen, version_of
from shared.bus import Bus, open_bus
from shared.clock import now
from shared.errors import SovereignError
from shared.services import SERVICES
from shared.settings import Settings
from shared.signing import MAX_AGE
from shared.streams import BUCKETS, OBJECT_STORES, STREAMS

SKEW_WARN_S = 5.0
API_S = 2.0


async def examine(settings: Settings) -> list[Finding]:
    """Return what is found of the bus; when nothing answers, whether one could be started."""
    try:
        complaints: list[Exception] = []
        async with open_bus(settings, "cli", complaints.append) as bus:
            found = await _examine(bus, settings)
        if any("permissions violation" in str(one).lower() for one in complaints):
            found[1:] = [failed("rights", "you are a guest on this bus", way_in(settings))]
        return found
    except SovereignError as error:
        return [await _absent(settings, error)]


async def _absent(settings: Settings, error: SovereignError) -> Finding:
    """Tell whether `sovereign up` could start a server where none answers."""
    if settings.nats.url is not None:
        fix = f"start it, or correct SOVEREIGN_NATS__URL (now {settings.nats_url})"
        return failed("bus", error.message, fix)
    if await _taken(settings):
        line = f"port {settings.nats.port} is taken by another program"
        return failed("bus", line, "set SOVEREIGN_NATS__PORT to a free port")
    if not _has_server():
        line = "no nats-server is installed"
        return failed("bus", line, "pip install 'sovereign[ops]', or set SOVEREIGN_NATS__URL")
    line = f"nothing runs at {settings.nats_url}, the port is free"
    return warned("bus", line, "sovereign up")


def _has_server() -> bool:
    """Tell whether the server that comes as a wheel, or another one, is installed."""
    beside = Path(sys.executable).parent / "nats-server"
    return beside.exists() or shutil.which("nats-server") is not None


async def _taken(settings: Settings) -> bool:
    try:
        server = await asyncio.start_server(
            lambda _r, _w: None, settings.nats.host, settings.nats.port
        )
    except OSError:
        return True
    server.close()
    await server.wait_closed()
    return False


async def _examine(bus: Bus, settings: Settings) -> list[Finding]:
    start = time.monotonic()
    await bus.nc.flush()
    took = (time.monotonic() - start) * 1000
    found = [ok("bus", f"NATS {version_of(bus)} at {settings.nats_url}, {took:.1f} ms")]
    try:
        names = await _streams(bus)
        clock = await _clock(bus, names)
    except (NatsError, TimeoutError, KeyError) as error:
        line = f"JetStream does not answer: {str(error) or type(error).__name__}"
        return [*found, failed("streams", line, "start the server with JetStream (-js)")]
    services = await _services(bus, BEATS * settings.ops.beat_s)
    return [*found, _declared(names), clock, services]


async def _streams(bus: Bus) -> set[str]:
    """Return the names of all streams."""
    names: set[str] = set()
    while True:
        page = await _api(bus, "STREAM.NAMES", {"offset": len(names)})
        names |= set(page.get("streams") or ())
        if len(names) >= page["total"] or not page.get("streams"):
            return names


async def _api(bus: Bus, what: str, ask: dict[str, Any]) -> dict[str, Any]:
    answer = await bus.nc.request(f"$JS.API.{what}", orjson.dumps(ask), API_S)
    body: dict[str, Any] = orjson.loads(answer.data)
    return body


def _declared(names: set[str]) -> Finding:
    """Check that everything that the contract declares is there."""
    wanted = {stream.name for stream in STREAMS}
    wanted |= {f"KV_{bucket.name}" for bucket in BUCKETS} | {
        f"OBJ_{name}" for name in OBJECT_STORES
    }
    missing = sorted(wanted - names)
    if missing:
        line = f"not declared yet: {', '.join(missing)}"
        return warned("streams", line, "any service declares them at its start: sovereign up")
    return ok("streams", f"{len(wanted)} declared")


async def _clock(bus: Bus, names: set[str]) -> Finding:
    """Check this clock against the server's, which tells its time with a stream's state."""
    info = await _api(bus, f"STREAM.INFO.{min(names)}", {}) if names else {}
    if "ts" not in info:
        return warned("clock", "the server did not tell its time", "sovereign up, then look again")
    return clock(abs((now() - datetime.fromisoformat(info["ts"])).total_seconds()))


def clock(skew: float) -> Finding:
    """Judge a difference of clocks in seconds: signed commands live for half a minute."""
    line = f"{skew:.1f} s from the server's"
    if skew >= MAX_AGE.total_seconds():
        return failed("clock", line, "synchronise the clocks (NTP): signed commands are refused")
    if skew >= SKEW_WARN_S:
        return warned("clock", line, "synchronise the clocks (NTP)")
    return ok("clock", line)


async def _services(bus: Bus, listen_s: float) -> Finding:
    """Check by their beats which services run, on whatever host."""
    running = {one.service for one in await listen(bus, listen_s) if one.state != "goodbye"}
    missing = [name for name in SERVICES if name not in running]
    if missing:
        line = f"not heard: {', '.join(missing)}"
        return warned("services", line, f"sovereign up, or sovereign run {missing[0]}")
    return ok("services", "all six are heard")
