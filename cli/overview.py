"""The facts of `sovereign status`, gathered at once: from ops, or from the beats themselves."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from nats.aio.msg import Msg
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from cli.output import plain
from cli.views import recent
from shared.bus import Bus
from shared.errors import SovereignError
from shared.events.health import Beat
from shared.events.models import EngineStatus
from shared.events.ops import InstanceStatus, OpsStatus
from shared.events.reports import Empty
from shared.events.tasks import FINAL_STATES, TaskState
from shared.services import SERVICES
from shared.settings import Settings
from shared.streams import TASKS
from shared.subscriptions import subscribed

ASK_S = 0.8
"""Seconds for a service that is there to answer."""

BEATS = 1.5
"""How many intervals of beats are listened to when ops does not answer."""

TASKS_LOOKED_AT = 500
FINE = ("ready", "starting", "draining")
GONE = ("goodbye", "stopped", "exited", "dead")


async def look(bus: Bus, settings: Settings) -> dict[str, Any]:
    """Return everything that `status` shows, as plain data; nothing is asked twice."""
    (source, instances), engine, tasks, rtt_ms = await asyncio.gather(
        _instances(bus, settings), _engine(bus), _tasks(bus), _round_trip(bus)
    )
    running = [one for one in instances if one.state not in GONE]
    missing = [name for name in SERVICES if name not in {one.service for one in running}]
    sick = [one for one in running if one.symptom or one.state not in FINE]
    version = version_of(bus)
    return {
        "healthy": not missing and not sick,
        "nats": {"url": settings.nats_url, "version": f"NATS {version}", "rtt_ms": rtt_ms},
        "engine": plain(engine) or _engine_of(running),
        "door": next((one.info["door"] for one in running if one.info.get("door")), None),
        "services": plain(sorted(running, key=lambda one: (one.service, one.instance))),
        "missing": missing,
        "tasks": tasks,
        "source": source,
    }


def version_of(bus: Bus) -> str:
    """Return the version of the server that this bus is connected to."""
    found = bus.nc.connected_server_version
    return f"{found.major}.{found.minor}.{found.patch}"


async def _instances(bus: Bus, settings: Settings) -> tuple[str, list[InstanceStatus]]:
    """Return who runs, as ops sees it, else as the beats of the next moment tell."""
    try:
        seen = await bus.request("ops.status", Empty(), OpsStatus, ASK_S)
    except SovereignError:
        return "beats", await listen(bus, BEATS * settings.ops.beat_s)
    return "ops", list(seen.instances)


async def listen(bus: Bus, seconds: float) -> list[InstanceStatus]:
    """Return every instance that beats within `seconds`."""
    heard: dict[tuple[str, str], tuple[float, Beat]] = {}

    async def beat(message: Msg) -> None:
        try:
            one = Beat.model_validate_json(message.data)
        except ValidationError:
            return
        heard[one.service, one.instance] = (time.monotonic(), one)

    async with subscribed(bus.nc, [("health.beat.>", beat)]):
        await asyncio.sleep(seconds)
    return [_status(one, time.monotonic() - at) for at, one in heard.values()]


def _status(beat: Beat, silent_s: float) -> InstanceStatus:
    return InstanceStatus.model_validate(beat.model_dump() | {"silent_s": silent_s})


async def _engine(bus: Bus) -> EngineStatus | None:
    try:
        return await bus.request("model.status", Empty(), EngineStatus, ASK_S)
    except SovereignError:
        return None


def _engine_of(instances: list[InstanceStatus]) -> dict[str, Any] | None:
    """Return what a router's beat told of its engine."""
    for one in instances:
        try:
            engine = EngineStatus.model_validate(one.info.get("engine"))
        except ValidationError:
            continue
        return engine.model_dump(mode="json")
    return None


async def _tasks(bus: Bus) -> dict[str, int] | None:
    """Return how many tasks are in each state that moves; `untaken` wait for the manager."""
    try:
        untaken = (await bus.js.stream_info(TASKS.name)).state.messages
        views = await recent(bus, TASKS_LOOKED_AT)
    except (NotFoundError, SovereignError):
        return None
    moving = [state for state in TaskState if state not in FINAL_STATES]
    counts = {str(state): sum(view.state == state for view in views) for state in moving}
    return {"untaken": untaken, **counts}


async def _round_trip(bus: Bus) -> float:
    start = time.monotonic()
    await bus.nc.flush()
    return round((time.monotonic() - start) * 1000, 1)
