"""Is it alive, is it ready, how is the whole system."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from nats.errors import Error as NatsError

from services.dashboard.plain import plain, rounded
from services.dashboard.store import Store
from services.dashboard.vitals import UP, Instance
from shared.bus import Bus
from shared.clock import now
from shared.errors import Unavailable
from shared.services import SERVICES


def routes(store: Store, bus: Bus, name: str) -> APIRouter:
    """Return `/health`, `/healthz`, `/readyz`."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """This process runs. Never asks the bus."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> dict[str, Any]:
        """The bus answers a ping within two seconds; else 503."""
        await _ping(bus)
        return {"status": "ready", "bus": True}

    @router.get("/health")
    async def health() -> JSONResponse:
        """The whole system: services with their states, engine, tasks, what is missing."""
        return JSONResponse(overview(store, bus, name))

    return router


async def _ping(bus: Bus) -> None:
    """Raise `Unavailable` unless the server answers; a flush alone survives a lost connection."""
    if not bus.nc.is_connected:
        raise Unavailable("the bus does not answer: there is no connection", retry_after_s=2)
    try:
        await bus.nc.flush(timeout=2)
    except (NatsError, OSError, TimeoutError) as error:
        raise Unavailable(f"the bus does not answer: {type(error).__name__}") from error
    if not bus.nc.is_connected:
        raise Unavailable("the bus does not answer: the connection is lost")


def overview(store: Store, bus: Bus, name: str) -> dict[str, Any]:
    """Return the picture as JSON. `status` is ok, degraded or down."""
    at = store.clock()
    connected = bus.nc.is_connected
    up = store.vitals.up(at)
    missing = [service for service in SERVICES if service not in up]
    engine = store.engine()
    return {
        "status": _status(connected, missing),
        "name": name,
        "at": now().isoformat(),
        "bus": {
            "state": "connected" if connected else "lost",
            "silent_s": rounded(store.silent_s()),
        },
        "services_up": len(up),
        "services_expected": len(SERVICES),
        "missing": missing,
        "engine": plain(engine),
        "services": {service: _service(store, service, at) for service in store.vitals.services()},
        "tasks": {state.value: count for state, count in sorted(store.crew.counts().items())},
        "waiting_because": store.crew.waiting_because() or None,
    }


def _status(connected: bool, missing: list[str]) -> str:
    if not connected:
        return "down"
    return "degraded" if missing else "ok"


def _service(store: Store, service: str, at: float) -> dict[str, Any]:
    state = store.vitals.state_of(service, at)
    instances = [_instance(one, at) for one in store.vitals.of(service)]
    return {"state": state, "ok": state in UP, "instances": instances}


def _instance(one: Instance, at: float) -> dict[str, Any]:
    beat = one.beat
    return {
        "instance": beat.instance,
        "host": beat.host,
        "state": one.state(at),
        "silent_s": rounded(one.silent_s(at)),
        "uptime_s": rounded(beat.uptime_s),
        "loop_lag_s": beat.loop_lag_s,
        "rss_bytes": beat.rss_bytes,
        "cpu_share": rounded(one.cpu_share),
        "restarts_seen": one.boots - 1,
        "pid": beat.pid,
        "version": beat.version,
    }
