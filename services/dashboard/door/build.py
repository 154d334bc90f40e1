"""Puts the door together."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from services.dashboard.desk import Desk
from services.dashboard.door import errors, health, metrics, reports, sessions, tasks
from services.dashboard.reach import Reach
from services.dashboard.store import Store
from shared.beats import VERSION
from shared.bus import Bus
from shared.settings import Settings


@dataclass(frozen=True)
class House:
    """What routes and pages work with."""

    settings: Settings
    bus: Bus
    store: Store
    desk: Desk
    reach: Reach


def house(settings: Settings, bus: Bus, store: Store) -> House:
    """Return the parts over one bus and one store."""
    return House(settings, bus, store, Desk(bus, store, settings), Reach(bus, store))


def build(parts: House) -> FastAPI:
    """Return the application with all routes of the door; pages are mounted by `pages`."""
    name = parts.settings.dashboard.name
    app = FastAPI(title=name, version=VERSION, docs_url=None, redoc_url=None)
    errors.install(app)
    app.include_router(health.routes(parts.store, parts.bus, name))
    app.include_router(reports.routes(parts.store, parts.reach))
    app.include_router(metrics.routes(parts.store))
    app.include_router(tasks.routes(parts.desk))
    app.include_router(sessions.routes(parts.reach, parts.settings.sessions.namespace))

    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse("/dashboard")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> RedirectResponse:
        return RedirectResponse("/openapi.json")

    return app
