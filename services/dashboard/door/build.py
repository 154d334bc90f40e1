"""Puts the door together.

`/tasks` and `/sessions` are routes of JSON; the pages of all rooms live below `/dashboard`, and the
names of the rooms without routes of their own lead there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from services.dashboard import brand
from services.dashboard.a2a import routes as a2a
from services.dashboard.access.gate import Gate
from services.dashboard.client import routes as client
from services.dashboard.desk import Desk
from services.dashboard.door import (
    errors,
    events,
    files,
    health,
    login,
    metrics,
    reports,
    sessions,
    tasks,
)
from services.dashboard.files import Files
from services.dashboard.reach import Reach
from services.dashboard.store import Store
from shared.beats import VERSION
from shared.bus import Bus
from shared.settings import Settings

ROOMS = ("agents", "router", "ops")
"""Pages that have no JSON route of the same name; `/match` is the page of clients and providers."""


@dataclass(frozen=True)
class House:
    """What routes and pages work with."""

    settings: Settings
    bus: Bus
    store: Store
    desk: Desk
    reach: Reach
    gate: Gate
    files: Files


def house(settings: Settings, bus: Bus, store: Store) -> House:
    """Return the parts over one bus and one store."""
    reach, files = Reach(bus, store), Files(bus)
    return House(settings, bus, store, Desk(bus, store, settings), reach, Gate(settings), files)


def _leading_to(page: str) -> Callable[[Request], RedirectResponse]:
    return lambda request: RedirectResponse(page)


def _logo(app: FastAPI, settings: Settings) -> None:
    """Add the owner's logo, read once; a wrong file ends the start with one line."""
    if settings.dashboard.logo is None:
        return
    data, kind = brand.logo(settings.dashboard.logo)

    @app.get(brand.LOGO_URL, include_in_schema=False)
    async def logo() -> Response:
        return Response(data, media_type=kind, headers={"Cache-Control": "max-age=300"})


def build(parts: House) -> FastAPI:
    """Return the application with all routes of the door; pages are mounted by `pages`."""
    name = parts.settings.dashboard.name
    app = FastAPI(title=name, version=VERSION, docs_url=None, redoc_url=None)
    errors.install(app)
    app.include_router(health.routes(parts.store, parts.bus, name))
    app.include_router(reports.routes(parts.store, parts.reach))
    app.include_router(metrics.routes(parts.store))
    app.include_router(login.routes(parts.gate, parts.settings.dashboard))
    app.include_router(files.routes(parts.desk, parts.files))
    app.include_router(events.routes(parts.desk))
    app.include_router(tasks.routes(parts.desk))
    app.include_router(a2a.routes(parts.desk, parts.reach, parts.gate, name))
    app.include_router(client.routes(parts.reach, parts.settings))
    settings = parts.settings
    read_only = settings.dashboard.read_only
    app.include_router(sessions.routes(parts.reach, settings.sessions.namespace, read_only))

    for room in ROOMS:
        app.add_route(f"/{room}", _leading_to(f"/dashboard/{room}"), include_in_schema=False)

    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse("/dashboard")

    _logo(app, parts.settings)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> RedirectResponse:
        return RedirectResponse("/openapi.json")

    return app
